// SPDX-License-Identifier: Apache-2.0
import type { ArrayData, ArrayQuery, Client } from "../api/client.ts";
import { isComplex } from "../api/decode.ts";
import { isLeaf, isRecord, leaves, mainLeaf, numberList, numbersAt, textField } from "../api/tree.ts";
import { completeIndices, extent, type Indices } from "../maths/axes.ts";
import { partOf } from "../maths/parts.ts";
import type { ArrayLeaf, Part, Tree, ValueInfo } from "../types.ts";

/** Where a family of curves comes from: an array (one axis along, one axis for the family), or records of x and y. */
export type CurveSource =
  | { kind: "array"; leaf: ArrayLeaf; times: Tree | undefined; unit: string; title: string }
  | { kind: "records"; curves: CurveRecord[] };

export interface CurveRecord {
  label: string;
  x: Tree | undefined;
  y: Tree;
  /** Index on the second axis of y, when one array holds several curves. */
  column?: number;
  unit: string;
  /** What runs along x, with its unit: "time [s]". */
  xLabel: string;
  /** What the values are, without their unit. */
  yLabel?: string;
}

export const mostSeries = 64;

const isNumbers = (t: Tree | undefined): boolean =>
  (isLeaf(t) && t.shape.filter((n) => n > 1).length <= 1) || numberList(t) !== null;

/** Curves in a value; null when there is none. */
export function curveSource(info: ValueInfo, path?: string): CurveSource | null {
  const { value } = info;
  const records = curveRecords(value);
  if (records.length > 0) return { kind: "records", curves: records };
  if (numberList(value)?.length) {
    return { kind: "records", curves: [{ label: "value", x: undefined, y: value, unit: "", xLabel: "" }] };
  }
  const leaf = mainLeaf(info, path) ?? leaves(value)[0];
  if (!leaf) return null;
  return {
    kind: "array",
    leaf,
    times: isRecord(value) ? value["times"] : undefined,
    unit: textField(value, "unit"),
    title: textField(value, "title", "name"),
  };
}

/** Records with times (or x) and values (or y), alone or in a list, or several value fields beside one of times. */
export function curveRecords(value: Tree, name = ""): CurveRecord[] {
  if (Array.isArray(value)) {
    return value.flatMap((v, k) => (isRecord(v) ? curveRecords(v, textField(v, "title", "name", "label") || `${k}`) : []));
  }
  if (!isRecord(value)) return [];
  const x = value["times"] ?? value["x"] ?? value["edges"];
  const unit = textField(value, "unit", "y_unit");
  const along = textField(value, "x_label") || (value["times"] !== undefined ? "t" : "x");
  const xUnit = textField(value, "x_unit") || (value["times"] !== undefined ? "s" : "");
  const xLabel = xUnit ? `${along} [${xUnit}]` : along;
  const label = textField(value, "title", "name", "label") || name || "value";
  const y = value["values"] ?? value["y"] ?? value["counts"] ?? (isNumbers(x) ? value["data"] : undefined);
  const yLabel = textField(value, "label");
  const names = Array.isArray(value["series"]) ? value["series"] : [];
  const nameOf = (k: number, or: string) => (typeof names[k] === "string" && names[k] ? names[k] : or);
  if (y !== undefined && isNumbers(y)) {
    return [{ label: nameOf(0, label), x: isNumbers(x) ? x : undefined, y, unit, xLabel, ...(yLabel ? { yLabel } : {}) }];
  }
  if (isLeaf(y) && y.shape.length === 2 && isNumbers(x)) {
    return Array.from({ length: Math.min(mostSeries, y.shape[1]!) }, (_, column) => ({
      label: nameOf(column, `${y.axes[1]} ${column}`),
      x,
      y,
      column,
      unit,
      xLabel,
      ...(yLabel ? { yLabel } : {}),
    }));
  }
  if (Array.isArray(value["curves"])) return curveRecords(value["curves"]);
  if (!isNumbers(x)) return [];
  return Object.entries(value)
    .filter(([k, v]) => v !== x && !k.startsWith("$") && isLeaf(v) && isNumbers(v))
    .map(([k, v]) => ({ label: k, x, y: v, unit, xLabel }));
}

/** x and y of a record; the index when it has no x. */
export async function curveNumbers(
  client: Client,
  port: string,
  hash: string,
  c: CurveRecord,
  signal?: AbortSignal,
): Promise<{ x: number[]; y: number[] }> {
  const column = async () => {
    const leaf = c.y as ArrayLeaf;
    const q = { path: leaf.path, axes: [leaf.axes[0]!], at: { [leaf.axes[1]!]: c.column! } };
    return Array.from((await client.array(port, hash, q, signal)).data as Float64Array);
  };
  const [x, y] = await Promise.all([
    numbersAt(client, port, hash, c.x, signal),
    c.column === undefined ? numbersAt(client, port, hash, c.y, signal) : column(),
  ]);
  return { x: x ?? (y ?? []).map((_, i) => i), y: y ?? [] };
}

export interface CurveOptions {
  path?: string;
  along?: string;
  family?: string | null;
  at?: Indices;
  part?: Part;
  logX?: boolean;
  logY?: boolean;
  points?: boolean;
  hidden?: number[];
  normalised?: boolean;
}

/** The axis that time or frequency runs on: t, b, sample, echo, else the longest. */
export function defaultAlong(leaf: ArrayLeaf): string {
  for (const name of ["t", "b", "sample", "echo", "f"]) if (extent(leaf, name) > 1) return name;
  const longest = leaf.shape.indexOf(Math.max(...leaf.shape));
  return leaf.axes[Math.max(0, longest)] ?? "";
}
/** The axis whose indices become several curves: the shortest other one of 2 to 16. */
export function defaultFamily(leaf: ArrayLeaf, along: string): string | null {
  const fit = leaf.axes
    .map((a, i) => ({ a, n: leaf.shape[i]! }))
    .filter(({ a, n }) => a !== along && n >= 2 && n <= 16 && !["x", "y", "z"].includes(a));
  if (leaf.shape.length === 2) {
    const other = leaf.axes.find((a) => a !== along) ?? null;
    return other && extent(leaf, other) <= 32 && extent(leaf, other) > 1 ? other : null;
  }
  return fit.length ? fit.reduce((best, f) => (f.n < best.n ? f : best)).a : null;
}

export function curveQuery(leaf: ArrayLeaf, along: string, family: string | null, at: Indices): ArrayQuery {
  const axes = family ? [along, family] : [along];
  const range: ArrayQuery["range"] = family && extent(leaf, family) > mostSeries ? { [family]: [0, mostSeries] } : undefined;
  return { path: leaf.path, axes, at: completeIndices(leaf, axes, at), range, ...(extent(leaf, along) > 20000 ? { max: 20000 } : {}) };
}

/** Columns of an answer, one for each index of the family; complex ones as a part. */
export function curvesOf(data: ArrayData, part: Part): Float64Array[] {
  const [n, count] = [data.shape[0] ?? 1, data.shape[1] ?? 1];
  const complex = isComplex(data.dtype);
  return Array.from({ length: count }, (_, k) =>
    Float64Array.from({ length: n }, (_, i) => {
      const m = k * n + i;
      return complex ? partOf(data.data[2 * m]!, data.data[2 * m + 1]!, part === "colour" ? "abs" : part) : data.data[m]!;
    }),
  );
}
