// SPDX-License-Identifier: Apache-2.0
import type { ArrayLeaf } from "../types.ts";

/** Index on each axis that is not shown. */
export type Indices = Record<string, number>;

const spatial = ["x", "y", "z"];

/**
 * The two axes to begin with: the first two that are at least an eighth of the longest (12 coils x 3 slices are no
 * picture of 89 x 144), filled up with the first that are longer than 1. An image begins in space.
 */
export function defaultAxes(leaf: Pick<ArrayLeaf, "axes" | "shape">, image = false): [string, string] {
  const axes = leaf.axes.map((name, i) => ({ name, n: leaf.shape[i]!, i }));
  const from = image ? axes.slice(0, 3) : axes;
  const longest = Math.max(0, ...from.map((a) => a.n));
  const order = [
    ...from.filter((a) => a.n > 1 && a.n >= longest / 8),
    ...from.filter((a) => a.n > 1),
    ...axes.filter((a) => a.n > 1),
    ...axes,
  ];
  const two = [...new Set(order)].slice(0, 2).sort((a, b) => a.i - b.i);
  return [two[0]?.name ?? "", two[1]?.name ?? ""];
}

export const extent = (leaf: Pick<ArrayLeaf, "axes" | "shape">, axis: string): number => {
  const i = leaf.axes.indexOf(axis);
  return i < 0 ? 1 : leaf.shape[i]!;
};

/** Middle of the spatial axes and slices, start of the others (the first echo, coil or time point). */
export function defaultIndex(axis: string, length: number): number {
  return spatial.includes(axis) || axis === "slice" ? Math.floor(length / 2) : 0;
}

/** Axes that need a slider: not shown and longer than 1. */
export function sliderAxes(leaf: Pick<ArrayLeaf, "axes" | "shape">, shown: readonly string[]): string[] {
  return leaf.axes.filter((a, i) => !shown.includes(a) && leaf.shape[i]! > 1);
}

/** A full set of indices inside the array for all axes not shown, from what was kept (which may be of another array). */
export function completeIndices(
  leaf: Pick<ArrayLeaf, "axes" | "shape">,
  shown: readonly string[],
  kept: Indices = {},
): Indices {
  const at: Indices = {};
  leaf.axes.forEach((axis, i) => {
    if (shown.includes(axis)) return;
    const length = leaf.shape[i]!;
    const want = kept[axis] ?? defaultIndex(axis, length);
    at[axis] = Math.min(Math.max(0, Math.round(want)), Math.max(0, length - 1));
  });
  return at;
}

/** `chosen` on screen axis `which`; when the other screen axis had it, they change places. */
export function pickAxis(shown: [string, string], which: 0 | 1, chosen: string): [string, string] {
  const other = shown[1 - which]!;
  const next: [string, string] = [...shown];
  next[which] = chosen;
  if (chosen === other) next[1 - which] = shown[which];
  return next;
}

/** One step along an axis, cyclic for cine and stopping at the ends for the hand. */
export function step(index: number, by: number, length: number, cyclic: boolean): number {
  if (length < 1) return 0;
  const next = index + by;
  return cyclic ? ((next % length) + length) % length : Math.min(length - 1, Math.max(0, next));
}

/** Columns and rows for `count` tiles of a given width / height ratio in a box: the layout with the largest tiles. */
export function tileGrid(count: number, tileAspect: number, boxAspect: number): { columns: number; rows: number } {
  let best = { columns: 1, rows: Math.max(1, count), size: 0 };
  for (let columns = 1; columns <= Math.max(1, count); ++columns) {
    const rows = Math.ceil(count / columns);
    const size = Math.min(boxAspect / (columns * tileAspect), 1 / rows);
    if (size > best.size * 1.0001) best = { columns, rows, size };
  }
  return { columns: best.columns, rows: best.rows };
}

/** Indices shown as tiles: from, every `every`-th, at most `most` (then every n-th, said to the reader by the label). */
export function tileIndices(length: number, from = 0, to = length, every = 1, most = 144): number[] {
  const begin = Math.min(Math.max(0, from), Math.max(0, length - 1));
  const end = Math.min(Math.max(begin + 1, to), length);
  let stride = Math.max(1, Math.round(every));
  while (Math.ceil((end - begin) / stride) > most) ++stride;
  const out: number[] = [];
  for (let i = begin; i < end; i += stride) out.push(i);
  return out;
}

export const atText = (at: Indices): string =>
  Object.entries(at)
    .map(([axis, i]) => `${axis}:${i}`)
    .join(",");
