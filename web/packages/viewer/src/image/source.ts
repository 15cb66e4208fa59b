// SPDX-License-Identifier: Apache-2.0
import type { Client } from "../api/client.ts";
import { isRecord, leaves, mainLeaf, numberList, textField } from "../api/tree.ts";
import { affineOf, columnLength, type Geometry } from "../maths/geometry.ts";
import type { ArrayLeaf, Tree, ValueInfo } from "../types.ts";

/** An array that can be shown as pictures, and what is known about it. */
export interface ImageSource {
  client: Client;
  port: string;
  hash: string;
  leaf: ArrayLeaf;
  geometry: Geometry | null;
  unit: string;
  title: string;
  /** [s] of each index of the axis t. */
  times: number[] | null;
  /** The value is this image and nothing else: the server can write it as a file with all that belongs to it. */
  wholeFile: boolean;
  /** What the numbers of labels mean, from 0 on. */
  names?: readonly string[];
}

/** Affine and spacing of an image record; null for anything else. */
export function geometryOf(t: Tree | undefined): Geometry | null {
  if (!isRecord(t)) return null;
  const affine = affineOf(t["affine"]);
  const told = numberList(t["spacing"]);
  const spacing = told && told.length >= 3 ? told : affine && [0, 1, 2].map((c) => columnLength(affine, c));
  return spacing ? { affine, spacing: spacing.slice(0, 3) as [number, number, number] } : null;
}

/** Arrays of the value that have two axes or more. */
export const planarLeaves = (info: ValueInfo): ArrayLeaf[] => leaves(info.value).filter((l) => l.shape.length >= 2);

export function imageSource(client: Client, port: string, info: ValueInfo, path?: string): ImageSource | null {
  const leaf = mainLeaf(info, path);
  if (!leaf || leaf.shape.some((n) => n < 1)) return null;
  const times = isRecord(info.value) ? numberList(info.value["times"]) : null;
  return {
    client,
    port,
    hash: info.hash,
    leaf,
    geometry: geometryOf(info.value),
    unit: textField(info.value, "unit"),
    title: textField(info.value, "title", "name"),
    times: times && times.length > 0 ? times : null,
    wholeFile: info.type === "image",
  };
}
