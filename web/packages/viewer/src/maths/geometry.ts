// SPDX-License-Identifier: Apache-2.0
import type { ArrayLeaf } from "../types.ts";

/** Row-major 4 x 4, voxel index to RAS+ position [mm]. */
export type Affine = number[][];

export interface Geometry {
  affine: Affine | null;
  /** [mm] of the first three axes. */
  spacing: [number, number, number];
}

const letters = [
  ["L", "R"],
  ["P", "A"],
  ["I", "S"],
] as const;

/** 4 x 4 from nested lists or 16 numbers; null for anything else. */
export function affineOf(numbers: unknown): Affine | null {
  const flat = Array.isArray(numbers) ? (numbers.flat() as unknown[]) : [];
  if (flat.length !== 16 || !flat.every((v) => typeof v === "number" && Number.isFinite(v))) return null;
  const m = [0, 1, 2, 3].map((r) => flat.slice(4 * r, 4 * r + 4) as number[]);
  const det =
    m[0]![0]! * (m[1]![1]! * m[2]![2]! - m[1]![2]! * m[2]![1]!) -
    m[0]![1]! * (m[1]![0]! * m[2]![2]! - m[1]![2]! * m[2]![0]!) +
    m[0]![2]! * (m[1]![0]! * m[2]![1]! - m[1]![1]! * m[2]![0]!);
  return det === 0 ? null : m;
}

export const columnLength = (affine: Affine, column: number): number =>
  Math.hypot(affine[0]![column]!, affine[1]![column]!, affine[2]![column]!);

/** Voxel index (of the first three axes) to position [mm]. */
export function position(affine: Affine, ijk: readonly number[]): [number, number, number] {
  return [0, 1, 2].map(
    (r) =>
      affine[r]![0]! * (ijk[0] ?? 0) + affine[r]![1]! * (ijk[1] ?? 0) + affine[r]![2]! * (ijk[2] ?? 0) + affine[r]![3]!,
  ) as [number, number, number];
}

/** Position [mm] to voxel index (not rounded). */
export function voxel(affine: Affine, mm: readonly number[]): [number, number, number] {
  const a = affine;
  const d = [0, 1, 2].map((r) => mm[r]! - a[r]![3]!);
  const cof = (r: number, c: number) => {
    const [r1, r2] = [(r + 1) % 3, (r + 2) % 3];
    const [c1, c2] = [(c + 1) % 3, (c + 2) % 3];
    return a[r1]![c1]! * a[r2]![c2]! - a[r1]![c2]! * a[r2]![c1]!;
  };
  const det = [0, 1, 2].reduce((sum, c) => sum + a[0]![c]! * cof(0, c), 0);
  return [0, 1, 2].map((c) => [0, 1, 2].reduce((sum, r) => sum + cof(r, c) * d[r]!, 0) / det) as [
    number,
    number,
    number,
  ];
}

/** Whether two grids have the same voxels at the same places, to a hundredth of a voxel at every corner. */
export function sameGrid(a: { shape: readonly number[]; affine: Affine }, b: { shape: readonly number[]; affine: Affine }): boolean {
  if ([0, 1, 2].some((c) => (a.shape[c] ?? 1) !== (b.shape[c] ?? 1))) return false;
  const least = Math.min(...[0, 1, 2].map((c) => columnLength(a.affine, c)));
  for (let corner = 0; corner < 8; ++corner) {
    const ijk = [0, 1, 2].map((c) => ((corner >> c) & 1) * ((a.shape[c] ?? 1) - 1));
    const [p, q] = [position(a.affine, ijk), position(b.affine, ijk)];
    if (Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) > 0.01 * least) return false;
  }
  return true;
}

/** Letters at the low and the high end of a column: ["L", "R"] for one that runs to the right. */
export function ends(affine: Affine, column: number): [string, string] {
  const v = [0, 1, 2].map((r) => affine[r]![column]!);
  const main = [0, 1, 2].reduce((best, r) => (Math.abs(v[r]!) > Math.abs(v[best]!) ? r : best), 0);
  const [low, high] = letters[main]!;
  return v[main]! >= 0 ? [low, high] : [high, low];
}

/** Index of the affine's column that an axis of the array is, or -1: the first three axes are space. */
export const spaceColumn = (leaf: Pick<ArrayLeaf, "axes">, axis: string): number => {
  const i = leaf.axes.indexOf(axis);
  return i >= 0 && i < 3 ? i : -1;
};

export interface Orientation {
  flipH: boolean;
  flipV: boolean;
  /** Letters at the edges of the screen. */
  left: string;
  right: string;
  top: string;
  bottom: string;
}

/**
 * Radiological convention: the patient's right and the anterior (in sagittal planes) at the left of the screen,
 * anterior or superior at the top. Without geometry index 0 is at the top left and there are no letters.
 */
export function orient(leaf: Pick<ArrayLeaf, "axes">, shown: readonly [string, string], affine: Affine | null): Orientation {
  const none = { flipH: false, flipV: false, left: "", right: "", top: "", bottom: "" };
  const [ch, cv] = [spaceColumn(leaf, shown[0]), spaceColumn(leaf, shown[1])];
  if (!affine || ch < 0 || cv < 0) return none;
  const [h0, h1] = ends(affine, ch);
  const [v0, v1] = ends(affine, cv);
  const flipH = ["R", "A", "S"].includes(h1); // these belong at the left
  const flipV = ["A", "S", "R"].includes(v1); // and these at the top
  return {
    flipH,
    flipV,
    left: flipH ? h1 : h0,
    right: flipH ? h0 : h1,
    top: flipV ? v1 : v0,
    bottom: flipV ? v0 : v1,
  };
}

/** Puts the more upright of two axes vertical: S before A before R. Keeps the order when there is no geometry. */
export function upright(
  leaf: Pick<ArrayLeaf, "axes">,
  shown: [string, string],
  affine: Affine | null,
): [string, string] {
  const [ch, cv] = [spaceColumn(leaf, shown[0]), spaceColumn(leaf, shown[1])];
  if (!affine || ch < 0 || cv < 0) return shown;
  const rank = (column: number) => ["RL", "AP", "IS"].findIndex((pair) => pair.includes(ends(affine, column)[0]));
  return rank(ch) > rank(cv) ? [shown[1], shown[0]] : shown;
}

/** Size [mm] of a step along an axis; null when the axis is not one of space or nothing is known. */
export function spacingOf(leaf: Pick<ArrayLeaf, "axes">, axis: string, geometry: Geometry | null): number | null {
  const column = spaceColumn(leaf, axis);
  if (column < 0 || !geometry) return null;
  const s = geometry.spacing[column]!;
  return s > 0 && Number.isFinite(s) ? s : null;
}
