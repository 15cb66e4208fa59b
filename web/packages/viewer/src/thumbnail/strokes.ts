// SPDX-License-Identifier: Apache-2.0
import type { Client } from "../api/client.ts";
import { mapRgb } from "../maths/colour.ts";
import { sceneItems, seenAt, type Item } from "../scene/items.ts";
import { pathQuery, pathsOf, trajectoryShape } from "../trajectory/paths.ts";
import type { ValueInfo } from "../types.ts";

/** A line of a small picture, or a dot when it has one point; y goes up. */
export interface Stroke {
  x: number[];
  y: number[];
  colour: string;
}

/** Onto the paper, as the viewer looks at first: from the front right, above. */
const onto = (x: number, y: number, z: number): [number, number] => [0.84 * x + 0.54 * y, -0.22 * x + 0.34 * y + 0.92 * z];
const css = (rgb: readonly number[]) => `rgb(${rgb.map((v) => Math.round(255 * v)).join(",")})`;

/** A few arms of a trajectory, each in the colours of its time. */
export async function pathStrokes(client: Client, port: string, info: ValueInfo, signal: AbortSignal): Promise<Stroke[]> {
  const shape = trajectoryShape(info);
  if (!shape) return [];
  const data = await client.array(port, info.hash, { ...pathQuery(shape, {}), max: 192 }, signal);
  const paths = pathsOf(data, shape.arm !== null);
  const out: Stroke[] = [];
  const most = 16, pieces = 12;
  for (let a = 0; a < paths.arms; a += Math.ceil(paths.arms / most)) {
    for (let p = 0; p < pieces; ++p) {
      const stroke: Stroke = { x: [], y: [], colour: css(mapRgb("turbo", (p + 0.5) / pieces)) };
      const [from, to] = [p, p + 1].map((k) => Math.round((k * (paths.samples - 1)) / pieces)) as [number, number];
      for (let s = from; s <= to; ++s) {
        const k = [0, 1, 2].map((c) => (c < shape.dimensions ? paths.k(s, a, c) : 0)) as [number, number, number];
        const [x, y] = shape.dimensions === 2 ? [k[0], k[1]] : onto(...k);
        stroke.x.push(x);
        stroke.y.push(y);
      }
      out.push(stroke);
    }
  }
  return out;
}

const most = 400; // points of an item
/** The items of a scene at its end. */
export async function sceneStrokes(client: Client, port: string, info: ValueInfo, signal: AbortSignal): Promise<Stroke[]> {
  const items = await sceneItems(client, port, info, signal);
  return items.flatMap((item) => strokesOf(item));
}

export function strokesOf(item: Item): Stroke[] {
  const { frame, from, count } = seenAt(item, Infinity);
  const last = <T>(frames: readonly T[]) => frames[Math.min(frame, frames.length - 1)]!;
  const p = last(item.frames);
  const d = item.directions && last(item.directions);
  const colours = typeof item.colours === "string" ? null : last(item.colours);
  const colour = (n: number) => (colours ? css([...colours.subarray(3 * n, 3 * n + 3)]) : (item.colours as string));
  const place = (n: number, way = 0) => onto(p[3 * n]! + way * (d?.[3 * n] ?? 0), p[3 * n + 1]! + way * (d?.[3 * n + 1] ?? 0), p[3 * n + 2]! + way * (d?.[3 * n + 2] ?? 0));
  const step = Math.max(1, Math.ceil((count - from) / most));
  const out: Stroke[] = [];
  let line: Stroke | null = null;
  for (let n = from; n < count; n += step) {
    const [x, y] = place(n);
    if (!Number.isFinite(x + y)) {
      line = null;
      continue;
    }
    if (item.kind === "lines") {
      if (!line) out.push((line = { x: [], y: [], colour: colour(n) }));
      line.x.push(x);
      line.y.push(y);
    } else if (item.kind === "arrows") {
      const [u, v] = place(n, 1);
      out.push({ x: [x, u], y: [y, v], colour: colour(n) });
    } else if (item.opacity > 0.5) out.push({ x: [x], y: [y], colour: colour(n) });
  }
  return out;
}
