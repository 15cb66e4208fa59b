// SPDX-License-Identifier: Apache-2.0
import { percentiles } from "./window.ts";

/** A region in index coordinates of the shown axes (pixel centres are whole numbers). */
export type Roi =
  | { kind: "rect"; x0: number; y0: number; x1: number; y1: number }
  | { kind: "ellipse"; x0: number; y0: number; x1: number; y1: number }
  | { kind: "polygon"; points: [number, number][] };

export interface RoiStatistics {
  /** Pixels whose centre lies inside, NaN ones included in `pixels` and left out of `count`. */
  pixels: number;
  count: number;
  mean: number;
  sd: number;
  min: number;
  max: number;
  median: number;
}

export const unroll = (roi: Roi): { x0: number; y0: number; x1: number; y1: number } => {
  if (roi.kind === "polygon") {
    const xs = roi.points.map((p) => p[0]);
    const ys = roi.points.map((p) => p[1]);
    return { x0: Math.min(...xs), x1: Math.max(...xs), y0: Math.min(...ys), y1: Math.max(...ys) };
  }
  return {
    x0: Math.min(roi.x0, roi.x1),
    x1: Math.max(roi.x0, roi.x1),
    y0: Math.min(roi.y0, roi.y1),
    y1: Math.max(roi.y0, roi.y1),
  };
};

export function inside(roi: Roi, x: number, y: number): boolean {
  const box = unroll(roi);
  if (x < box.x0 || x > box.x1 || y < box.y0 || y > box.y1) return false;
  if (roi.kind === "rect") return true;
  if (roi.kind === "ellipse") {
    const [a, b] = [(box.x1 - box.x0) / 2, (box.y1 - box.y0) / 2];
    if (a === 0 || b === 0) return false;
    return ((x - (box.x0 + box.x1) / 2) / a) ** 2 + ((y - (box.y0 + box.y1) / 2) / b) ** 2 <= 1;
  }
  let odd = false; // even-odd rule
  for (let i = 0, j = roi.points.length - 1; i < roi.points.length; j = i++) {
    const [xi, yi] = roi.points[i]!;
    const [xj, yj] = roi.points[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

/** Area of the outline in index units squared (shoelace formula for polygons that do not cross themselves). */
export function area(roi: Roi): number {
  const box = unroll(roi);
  const frame = (box.x1 - box.x0) * (box.y1 - box.y0);
  if (roi.kind === "rect") return frame;
  if (roi.kind === "ellipse") return (Math.PI / 4) * frame;
  let twice = 0;
  for (let i = 0, j = roi.points.length - 1; i < roi.points.length; j = i++) {
    twice += roi.points[j]![0] * roi.points[i]![1] - roi.points[i]![0] * roi.points[j]![1];
  }
  return Math.abs(twice) / 2;
}

/** A plane of values, first axis fastest; `step` says how many indices a sample stands for (decimation). */
export interface Plane {
  width: number;
  height: number;
  step: [number, number];
  value: (i: number, j: number) => number;
}

/** Statistics of the pixels whose centres lie inside. The standard deviation is that of a sample (n - 1). */
export function statistics(plane: Plane, roi: Roi): RoiStatistics {
  const box = unroll(roi);
  const [sx, sy] = plane.step;
  const i0 = Math.max(0, Math.ceil(box.x0 / sx));
  const i1 = Math.min(plane.width - 1, Math.floor(box.x1 / sx));
  const j0 = Math.max(0, Math.ceil(box.y0 / sy));
  const j1 = Math.min(plane.height - 1, Math.floor(box.y1 / sy));
  const values: number[] = [];
  let pixels = 0;
  for (let j = j0; j <= j1; ++j) {
    for (let i = i0; i <= i1; ++i) {
      if (!inside(roi, i * sx, j * sy)) continue;
      ++pixels;
      const v = plane.value(i, j);
      if (Number.isFinite(v)) values.push(v);
    }
  }
  const count = values.length;
  if (count === 0) return { pixels, count, mean: NaN, sd: NaN, min: NaN, max: NaN, median: NaN };
  const mean = values.reduce((a, b) => a + b, 0) / count;
  const ss = values.reduce((a, b) => a + (b - mean) ** 2, 0);
  const [min, median, max] = percentiles(values, [0, 50, 100], Infinity) as [number, number, number];
  return { pixels, count, mean, sd: count > 1 ? Math.sqrt(ss / (count - 1)) : 0, min, max, median };
}

/** Indices [begin, end) on the two axes that a region can touch, within the array; null when it lies beside it. */
export function indexBox(roi: Roi, width: number, height: number): { x: [number, number]; y: [number, number] } | null {
  const box = unroll(roi);
  const x: [number, number] = [Math.max(0, Math.ceil(box.x0)), Math.min(width, Math.floor(box.x1) + 1)];
  const y: [number, number] = [Math.max(0, Math.ceil(box.y0)), Math.min(height, Math.floor(box.y1) + 1)];
  return x[1] > x[0] && y[1] > y[0] ? { x, y } : null;
}

/** The same region with the origin elsewhere. */
export const moved = (roi: Roi, dx: number, dy: number): Roi =>
  roi.kind === "polygon"
    ? { kind: "polygon", points: roi.points.map(([x, y]) => [x - dx, y - dy]) }
    : { ...roi, x0: roi.x0 - dx, x1: roi.x1 - dx, y0: roi.y0 - dy, y1: roi.y1 - dy };

/** As the server's statistics call names regions. */
export function shapeText(roi: Roi): string {
  if (roi.kind === "polygon") return `polygon:${roi.points.flat().map((v) => v.toFixed(2)).join(":")}`;
  const { x0, y0, x1, y1 } = unroll(roi);
  return `${roi.kind}:${[x0, y0, x1, y1].map((v) => v.toFixed(2)).join(":")}`;
}
