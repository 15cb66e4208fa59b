// SPDX-License-Identifier: Apache-2.0
import type { ArrayLeaf, Tree, TreeRecord, ValueInfo } from "../types.ts";
import type { Client } from "./client.ts";

export const isLeaf = (t: Tree | undefined): t is ArrayLeaf =>
  typeof t === "object" && t !== null && !Array.isArray(t) && (t as { array?: unknown }).array === true;

export const isRecord = (t: Tree | undefined): t is TreeRecord =>
  typeof t === "object" && t !== null && !Array.isArray(t) && !isLeaf(t);

/** The record's own type ("image"), "" when it has none. */
export const recordType = (t: Tree | undefined): string =>
  isRecord(t) ? (typeof t["$type"] === "string" ? t["$type"] : typeof t["type"] === "string" ? t["type"] : "") : "";

/** Fields of a record without the type mark. */
export const fieldsOf = (t: TreeRecord): [string, Tree][] => Object.entries(t).filter(([k]) => k !== "$type");

export const textField = (t: Tree | undefined, ...names: string[]): string => {
  if (isRecord(t)) for (const n of names) if (typeof t[n] === "string" && t[n]) return t[n] as string;
  return "";
};

/** Every array in the value, with where it is. */
export function leaves(t: Tree, found: ArrayLeaf[] = []): ArrayLeaf[] {
  if (isLeaf(t)) found.push(t);
  else if (Array.isArray(t)) t.forEach((x) => leaves(x, found));
  else if (isRecord(t)) Object.values(t).forEach((x) => leaves(x, found));
  return found;
}

/** The array a picture or curve is made of: the value itself, "data", "values", else the largest. */
export function mainLeaf(info: ValueInfo, path?: string): ArrayLeaf | null {
  const all = leaves(info.value);
  const named = path === undefined ? undefined : all.find((l) => l.path === path);
  if (named) return named;
  if (isLeaf(info.value)) return info.value;
  if (isRecord(info.value)) {
    for (const field of ["data", "values", "image"]) {
      const t = info.value[field];
      if (isLeaf(t)) return t;
    }
  }
  const size = (l: ArrayLeaf) => l.shape.reduce((a, b) => a * b, 1);
  return all.reduce<ArrayLeaf | null>((best, l) => (!best || size(l) > size(best) ? l : best), null);
}

export const numberList = (t: Tree | undefined): number[] | null =>
  Array.isArray(t) && t.every((v) => typeof v === "number" || v === null)
    ? t.map((v) => (v === null ? NaN : (v as number)))
    : null;

/** Numbers of a field, whether they came in the tree or have to be fetched; null when it holds none. */
export async function numbersAt(
  client: Client,
  port: string,
  hash: string,
  t: Tree | undefined,
  signal?: AbortSignal,
): Promise<number[] | null> {
  if (isLeaf(t)) {
    const part = t.dtype.startsWith("c") ? "real" : undefined;
    const got = await client.array(port, hash, { path: t.path, axes: t.axes, part }, signal);
    return Array.from(got.data as Float32Array);
  }
  if (typeof t === "number") return [t];
  return numberList(t) ?? (Array.isArray(t) && t.every((r) => numberList(r)) ? (t as number[][]).flat() : null);
}
