// SPDX-License-Identifier: Apache-2.0
import type { Client } from "../api/client.ts";
import { isLeaf, isRecord, numberList, numbersAt, textField } from "../api/tree.ts";
import { messages, ViewerError } from "../errors.ts";
import { mapNames, mapRgb, type MapName } from "../maths/colour.ts";
import { widened } from "../maths/window.ts";
import type { ArrayLeaf, Tree, TreeRecord, ValueInfo } from "../types.ts";

export type Kind = "points" | "lines" | "spheres" | "arrows";

/** What the colours of an item mean, for the colour bar. */
export interface Scale {
  map: MapName;
  lo: number;
  hi: number;
  title: string;
  unit: string;
}

/** One thing of a scene with its numbers: x, y, z of one point after another, for each frame. */
export interface Item {
  kind: Kind;
  title: string;
  count: number;
  /** 3 x count numbers for each frame; one frame when it does not move. */
  frames: Float32Array[];
  /** As many frames as there are, or one. */
  directions: Float32Array[] | null;
  /** CSS colour, or 3 x count numbers 0..1 for each frame, or one frame. */
  colours: string | Float32Array[];
  scale: Scale | null;
  radius: number | null;
  opacity: number;
  width: number;
  /** [s] of each point, or of each frame. */
  times: number[] | null;
  trail: number | null;
}

const palette = ["#4dd2ff", "#ffb000", "#5ee27a", "#ff7ab8", "#c9a2ff", "#f5f06a"];

/** An item with what is usually not said; for scenes that a viewer makes itself. */
export const plainItem = (item: Pick<Item, "kind" | "count" | "frames"> & Partial<Item>): Item => ({
  title: "", directions: null, colours: palette[0]!, scale: null, radius: null, opacity: 1, width: 2, times: null, trail: null, ...item,
});

/** How many moments an item knows. */
export const framesOf = (item: Item): number =>
  Math.max(item.frames.length, item.directions?.length ?? 1, typeof item.colours === "string" ? 1 : item.colours.length);

/** The items of a scene, fetched. Errors   when there is none, and when positions are not (3, n) or (3, n, t) */
export async function sceneItems(client: Client, port: string, info: ValueInfo, signal: AbortSignal): Promise<Item[]> {
  const value = info.value;
  const list = isRecord(value) && Array.isArray(value["items"]) ? value["items"].filter(isRecord) : [];
  if (list.length === 0) throw new ViewerError(messages.noScene());
  return Promise.all(
    list.map(async (record, k): Promise<Item> => {
      const or = textField(record, "colour") || palette[k % palette.length]!;
      const [positions, directions, given, values, times] = await Promise.all([
        triples(client, port, info.hash, record["positions"], signal),
        record["directions"] !== undefined ? triples(client, port, info.hash, record["directions"], signal) : null,
        coloursOf(client, port, info.hash, record["colours"], or, signal),
        numbersAt(client, port, info.hash, record["values"], signal),
        numbersAt(client, port, info.hash, record["times"], signal),
      ]);
      if (!positions) throw new ViewerError(messages.positions([]));
      const { count, frames } = positions;
      const number = (name: string) => (typeof record[name] === "number" ? (record[name] as number) : null);
      const kind = ["points", "lines", "spheres", "arrows"].find((n) => n === record["kind"]) as Kind | undefined;
      const scale = values ? scaleOf(record, values) : null;
      const radius = number("radius");
      return {
        kind: kind ?? "points",
        title: textField(record, "title", "name"),
        count,
        frames,
        directions: directions?.frames ?? null,
        colours: values && scale ? coloured(values, count, scale) : given,
        scale,
        radius: radius !== null && radius > 0 ? radius : null,
        opacity: Math.min(1, Math.max(0, number("opacity") ?? 1)),
        width: number("width") ?? 2,
        times: times && times.length > 1 ? times : null,
        trail: number("trail"),
      };
    }),
  );
}

function scaleOf(record: TreeRecord, values: readonly number[]): Scale {
  const range = numberList(record["range"]);
  let [lo, hi] = [Infinity, -Infinity];
  for (const v of values) if (Number.isFinite(v)) [lo, hi] = [Math.min(lo, v), Math.max(hi, v)];
  const window = range?.length === 2 && range[1]! > range[0]! ? { lo: range[0]!, hi: range[1]! } : widened(lo, hi);
  const map = mapNames.find((m) => m === record["map"]) ?? "viridis";
  return { map, ...window, title: textField(record, "value_title"), unit: textField(record, "value_unit") };
}
/** Colours of values by a map, 3 x count a frame. Values that are missing are grey. */
export function coloured(values: ArrayLike<number>, count: number, { map, lo, hi }: Scale): Float32Array[] {
  const table = Array.from({ length: 256 }, (_, t) => mapRgb(map, t / 255));
  return Array.from({ length: Math.max(1, Math.floor(values.length / Math.max(1, count))) }, (_, f) => {
    const out = new Float32Array(3 * count);
    for (let n = 0; n < count; ++n) {
      const v = values[f * count + n] ?? NaN;
      out.set(Number.isNaN(v) ? [0.5, 0.5, 0.5] : table[Math.round(255 * Math.min(1, Math.max(0, (v - lo) / (hi - lo))))]!, 3 * n);
    }
    return out;
  });
}

async function triples(
  client: Client,
  port: string,
  hash: string,
  t: Tree | undefined,
  signal: AbortSignal,
): Promise<{ count: number; frames: Float32Array[] } | null> {
  if (isLeaf(t)) {
    const leaf: ArrayLeaf = t;
    if (leaf.shape[0] !== 3 || leaf.shape.length > 3) throw new ViewerError(messages.positions(leaf.shape));
    const a = await client.array(port, hash, { path: leaf.path, axes: leaf.axes }, signal);
    const count = leaf.shape[1] ?? 1;
    const frames = leaf.shape[2] ?? 1;
    const all = Float32Array.from(a.data as Float32Array);
    return { count, frames: Array.from({ length: frames }, (_, f) => all.subarray(3 * count * f, 3 * count * (f + 1))) };
  }
  if (Array.isArray(t)) {
    const rows = t.map((r) => numberList(r));
    // Three lists of n, or n lists of three.
    if (rows.length === 3 && rows.every((r) => r && r.length === rows[0]!.length)) {
      const n = rows[0]!.length;
      return { count: n, frames: [Float32Array.from({ length: 3 * n }, (_, i) => rows[i % 3]![Math.floor(i / 3)]!)] };
    }
    if (rows.length > 0 && rows.every((r) => r?.length === 3)) return { count: rows.length, frames: [Float32Array.from(rows.flat() as number[])] };
    throw new ViewerError(messages.positions([t.length]));
  }
  return null;
}

async function coloursOf(
  client: Client,
  port: string,
  hash: string,
  t: Tree | undefined,
  or: string,
  signal: AbortSignal,
): Promise<string | Float32Array[]> {
  if (typeof t === "string" && t) return t;
  const got = t === undefined || t === null ? null : await triples(client, port, hash, t, signal);
  if (!got) return or;
  const scale = got.frames.some((f) => f.some((v) => v > 1)) ? 1 / 255 : 1; // bytes or fractions
  return got.frames.map((f) => f.map((v) => v * scale));
}

/** All times of the scene in order, each once; empty when nothing moves. */
export function sceneTimes(items: readonly Item[]): number[] {
  const all = new Set<number>();
  for (const item of items) {
    if (item.times) item.times.forEach((t) => all.add(t));
    else if (framesOf(item) > 1) for (let f = 0; f < framesOf(item); ++f) all.add(f);
  }
  return [...all].filter(Number.isFinite).sort((a, b) => a - b);
}

/** How many of the sorted times are at or before one. */
function countUntil(times: readonly number[], time: number): number {
  let [lo, hi] = [0, times.length];
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if (times[middle]! <= time) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}

/** What of an item is seen at a time: its frame, and which of its points: [from, count). */
export function seenAt(item: Item, time: number): { frame: number; from: number; count: number } {
  const moments = framesOf(item);
  if (moments > 1) {
    const times = item.times?.length === moments ? item.times : Array.from({ length: moments }, (_, f) => f);
    return { frame: Math.max(0, countUntil(times, time) - 1), from: 0, count: item.count };
  }
  if (!item.times || item.times.length !== item.count) return { frame: 0, from: 0, count: item.count };
  // Without a time everything has come and nothing has faded.
  const from = item.trail !== null && Number.isFinite(time) ? countUntil(item.times, time - item.trail) : 0;
  return { frame: 0, from, count: countUntil(item.times, time) };
}

/** Corners of the box around everything; a cube of side 2 when there is nothing finite. */
export function bounds(items: readonly Item[]): { low: [number, number, number]; high: [number, number, number] } {
  const low: [number, number, number] = [Infinity, Infinity, Infinity];
  const high: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  const see = (c: number, v: number) => {
    if (!Number.isFinite(v)) return;
    low[c] = Math.min(low[c]!, v);
    high[c] = Math.max(high[c]!, v);
  };
  for (const item of items) {
    const around = item.kind === "spheres" ? (item.radius ?? 0) : 0;
    const n = Math.max(item.frames.length, item.directions?.length ?? 1);
    for (let f = 0; f < n; ++f) {
      const frame = item.frames[Math.min(f, item.frames.length - 1)]!;
      const directions = item.directions?.[Math.min(f, item.directions.length - 1)];
      frame.forEach((v, i) => {
        see(i % 3, v - around);
        see(i % 3, v + around);
        if (directions) see(i % 3, v + directions[i]!);
      });
    }
  }
  for (let c = 0; c < 3; ++c) {
    if (!(high[c]! >= low[c]!)) [low[c], high[c]] = [-1, 1];
  }
  return { low, high };
}

/** The corners that a scene asks for; null when it asks for none. */
export function boxOf(value: Tree): { low: [number, number, number]; high: [number, number, number] } | null {
  const corners = isRecord(value) && Array.isArray(value["box"]) ? value["box"].map((c) => numberList(c)) : [];
  const [low, high] = corners;
  if (corners.length !== 2 || low?.length !== 3 || high?.length !== 3 || !low.every((v, c) => v <= high[c]!)) return null;
  return { low: low as [number, number, number], high: high as [number, number, number] };
}

/** A time with the unit that suits it: "1.25 ms". */
export function timeText(seconds: number, span: number): string {
  const [factor, unit] = span < 2e-3 ? [1e6, "µs"] : span < 1 ? [1e3, "ms"] : [1, "s"];
  const digits = Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(Math.max(span * factor, 1e-12)))));
  return `${(seconds * factor).toFixed(digits).replace("-", "−")} ${unit}`;
}
