// SPDX-License-Identifier: Apache-2.0
import type { Plane } from "./roi.ts";

export interface Line {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/**
 * Values along a line, bilinear between the four pixels around (NaN when one that counts is), about one sample a pixel.
 * Distances in the unit of `size` (the length of an index step along each axis).
 */
export function profile(plane: Plane, line: Line, size: [number, number]): { distance: number[]; values: number[] } {
  const [sx, sy] = plane.step;
  const [dx, dy] = [line.x1 - line.x0, line.y1 - line.y0];
  const n = Math.max(2, Math.ceil(Math.hypot(dx / sx, dy / sy)) + 1);
  const length = Math.hypot(dx * size[0], dy * size[1]);
  const distance: number[] = [];
  const values: number[] = [];
  for (let k = 0; k < n; ++k) {
    const t = k / (n - 1);
    distance.push(t * length);
    values.push(bilinear(plane, (line.x0 + t * dx) / sx, (line.y0 + t * dy) / sy));
  }
  return { distance, values };
}

/** NaN more than half a pixel outside. */
export function bilinear(plane: Plane, x: number, y: number): number {
  if (x < -0.5 || y < -0.5 || x > plane.width - 0.5 || y > plane.height - 0.5) return NaN;
  const cx = Math.min(Math.max(x, 0), plane.width - 1);
  const cy = Math.min(Math.max(y, 0), plane.height - 1);
  const [i, j] = [Math.floor(cx), Math.floor(cy)];
  const [fx, fy] = [cx - i, cy - j];
  let sum = 0;
  for (const [di, dj, weight] of [
    [0, 0, (1 - fx) * (1 - fy)],
    [1, 0, fx * (1 - fy)],
    [0, 1, (1 - fx) * fy],
    [1, 1, fx * fy],
  ] as const) {
    if (weight > 0) sum += weight * plane.value(i + di, j + dj);
  }
  return sum;
}
