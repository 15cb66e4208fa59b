// SPDX-License-Identifier: Apache-2.0
import type { Client } from "../api/client.ts";
import { isLeaf, isRecord, numberList, textField } from "../api/tree.ts";
import { geometryOf, type ImageSource } from "../image/source.ts";
import type { Geometry } from "../maths/geometry.ts";
import type { ArrayLeaf, Tree, ValueInfo } from "../types.ts";

/** The codes of a fit's status array (larmor/fit/status.hpp). */
export const statusNames = ["outside", "converged", "at bound", "no signal", "bad data", "not converged", "singular", "out of range"];

export interface MapEntry {
  name: string;
  title: string;
  /** What numbers are shown in, and how many of it one of the unit inside is. */
  unit: string;
  factor: number;
  values: ArrayLeaf;
  error: ArrayLeaf | null;
}
export interface Maps {
  entries: MapEntry[];
  status: ArrayLeaf | null;
  geometry: Geometry | null;
  times: number[] | null;
}

/** One of the maps (the first when none is named so) as something to show. */
export function mapSource(client: Client, port: string, info: ValueInfo, name?: string): ImageSource | null {
  const maps = mapsOf(info.value);
  const entry = maps?.entries.find((e) => e.name === name) ?? maps?.entries[0];
  if (!maps || !entry) return null;
  return {
    client: client.times(entry.factor),
    port,
    hash: info.hash,
    leaf: entry.values,
    geometry: maps.geometry,
    unit: entry.unit,
    title: entry.title,
    times: null,
    wholeFile: false,
  };
}

const times = (v: number | null | undefined, factor: number) => (typeof v === "number" ? v * factor : v);
const inside = (leaf: ArrayLeaf, factor: number): ArrayLeaf => (factor === 1 ? leaf : { ...leaf, min: times(leaf.min, factor), max: times(leaf.max, factor) });

/** Parameter maps with their units, errors and status; null when the value is none. */
export function mapsOf(value: Tree): Maps | null {
  if (!isRecord(value)) return null;
  const list = value["maps"];
  const named: [string, Tree][] = Array.isArray(list)
    ? list.map((m, k) => [textField(m, "name", "symbol") || String(k), m])
    : isRecord(list)
      ? Object.entries(list).filter(([k]) => !k.startsWith("$"))
      : [];
  const entries = named.flatMap(([name, m]): MapEntry[] => {
    const values = isLeaf(m) ? m : isRecord(m) ? (["values", "data"].map((f) => m[f]).find(isLeaf) ?? null) : null;
    if (!values || values.shape.some((n) => n < 1)) return [];
    const error = isRecord(m) ? m["standard_error"] : undefined;
    const told = isRecord(m) ? m["shown_factor"] : undefined;
    const factor = typeof told === "number" && told > 0 && textField(m, "shown_unit") ? told : 1;
    return [
      {
        name,
        title: textField(m, "title") || name,
        unit: factor === 1 ? textField(m, "unit") : textField(m, "shown_unit"),
        factor,
        values: inside(values, factor),
        error: isLeaf(error) && error.shape.every((n) => n > 0) && error.shape.length > 0 ? inside(error, factor) : null,
      },
    ];
  });
  if (entries.length === 0) return null;
  const status = value["status"];
  const reference = value["reference"];
  return {
    entries,
    status: isLeaf(status) && status.shape.length > 0 && status.shape.every((n) => n > 0) ? status : null,
    geometry: geometryOf(reference) ?? geometryOf(value),
    times: isRecord(reference) ? numberList(reference["times"]) : null,
  };
}
