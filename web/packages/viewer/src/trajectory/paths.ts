// SPDX-License-Identifier: Apache-2.0
import type { ArrayData, ArrayQuery } from "../api/client.ts";
import { isLeaf, isRecord, numberList } from "../api/tree.ts";
import { completeIndices, extent, type Indices } from "../maths/axes.ts";
import { coloured, plainItem, type Item, type Scale } from "../scene/items.ts";
import type { ArrayLeaf, ValueInfo } from "../types.ts";

/** Points of all arms together that are drawn; beyond, every n-th sample and arm. */
export const mostPoints = 200_000;

/** What a trajectory record says of itself. */
export interface TrajectoryShape {
  leaf: ArrayLeaf;
  sample: string;
  /** The axis of arms; null when there is one arm only. */
  arm: string | null;
  /** Axes beyond, each shown at one index. */
  others: string[];
  coordinate: string;
  dimensions: number;
  matrix: number[];
}

/** The axes of a trajectory; null when the record has no positions of two or three coordinates. */
export function trajectoryShape(info: Pick<ValueInfo, "value">): TrajectoryShape | null {
  const leaf = isRecord(info.value) ? info.value["data"] : undefined;
  if (!isLeaf(leaf) || leaf.shape.length < 2) return null;
  const [sample, ...rest] = leaf.axes as [string, ...string[]];
  const coordinate = rest.pop()!;
  const dimensions = extent(leaf, coordinate);
  if (dimensions < 2 || dimensions > 3) return null;
  const arm = rest.find((a) => a === "arm") ?? rest.find((a) => extent(leaf, a) > 1) ?? null;
  return {
    leaf, sample, arm, coordinate, dimensions,
    others: rest.filter((a) => a !== arm && extent(leaf, a) > 1),
    matrix: numberList(isRecord(info.value) ? info.value["matrix"] : undefined) ?? [],
  };
}

export function pathQuery(shape: TrajectoryShape, at: Indices): ArrayQuery {
  const { leaf, sample, arm, coordinate } = shape;
  const axes = [sample, ...(arm ? [arm] : []), coordinate];
  const [n, arms] = [extent(leaf, sample), arm ? extent(leaf, arm) : 1];
  let max = Math.max(n, arms, 4);
  while (Math.min(n, max) * Math.min(arms, max) > mostPoints && max > 4) max = Math.ceil(max / 2);
  return { path: leaf.path, axes, at: completeIndices(leaf, axes, at), ...(max < Math.max(n, arms) ? { max } : {}) };
}

/** Positions of the arms that came: coordinate c of sample s of arm a. */
export interface Paths {
  samples: number;
  arms: number;
  /** Steps of thinning along samples and arms. */
  step: [number, number];
  k: (s: number, a: number, c: number) => number;
}
export function pathsOf(data: ArrayData, hasArms: boolean): Paths {
  const samples = data.shape[0] ?? 0;
  const arms = hasArms ? (data.shape[1] ?? 1) : 1;
  return { samples, arms, step: [data.step[0] ?? 1, hasArms ? (data.step[1] ?? 1) : 1], k: (s, a, c) => data.data[(c * arms + a) * samples + s]! };
}

/** One polyline through the samples of some arms, with a gap after each; times repeat for each arm. */
export function polyline(p: Paths, dimensions: number, arms: readonly number[]): { positions: Float32Array; source: Int32Array } {
  const long = p.samples + 1;
  const positions = new Float32Array(3 * long * arms.length).fill(NaN);
  const source = new Int32Array(long * arms.length).fill(-1);
  arms.forEach((a, row) => {
    for (let s = 0; s < p.samples; ++s) {
      const n = row * long + s;
      source[n] = s;
      for (let c = 0; c < 3; ++c) positions[3 * n + c] = c < dimensions ? p.k(s, a, c) : 0;
    }
  });
  return { positions, source };
}

/** The items of the picture: arms coloured by time, the others faint, and a mark on each that runs along with time. */
export function pathItems(p: Paths, dimensions: number, times: readonly number[], scale: Scale, chosen: number | null): Item[] {
  const all = Array.from({ length: p.arms }, (_, a) => a);
  const shown = chosen === null ? all : [chosen];
  const items: Item[] = [];
  if (chosen !== null && p.arms > 1) {
    const rest = polyline(p, dimensions, all.filter((a) => a !== chosen));
    items.push(plainItem({ kind: "lines", count: rest.source.length, frames: [rest.positions], colours: "#7d8794", opacity: 0.35, width: 1 }));
  }
  const line = polyline(p, dimensions, shown);
  const values = Float64Array.from(line.source, (s) => (s < 0 ? NaN : times[s]!));
  items.push(plainItem({ kind: "lines", count: line.source.length, frames: [line.positions], colours: coloured(values, values.length, scale), scale, width: shown.length > 24 ? 1.4 : 2.2 }));
  let far = 0;
  for (const v of line.positions) if (Math.abs(v) > far) far = Math.abs(v);
  const frames = Array.from({ length: p.samples }, (_, s) => {
    const at = new Float32Array(3 * shown.length);
    shown.forEach((a, n) => {
      // The marks of a flat path lie a little above it.
      for (let c = 0; c < 3; ++c) at[3 * n + c] = c < dimensions ? p.k(s, a, c) : far / 1000;
    });
    return at;
  });
  items.push(plainItem({ kind: "points", count: shown.length, frames, colours: "#ffffff", radius: far / 55, times: [...times] }));
  return items;
}
