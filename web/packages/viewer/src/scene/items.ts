// SPDX-License-Identifier: Apache-2.0
import type { Client } from "../api/client.ts";
import { isLeaf, isRecord, numberList, numbersAt, textField } from "../api/tree.ts";
import { messages, ViewerError } from "../errors.ts";
import type { ArrayLeaf, Tree, ValueInfo } from "../types.ts";

export type Kind = "points" | "lines" | "spheres" | "arrows";

/** One thing of a scene with its numbers: x, y, z of one point after another, for each frame. */
export interface Item {
  kind: Kind;
  title: string;
  count: number;
  /** 3 x count numbers for each frame; one frame when it does not move. */
  frames: Float32Array[];
  directions: Float32Array | null;
  /** CSS colour, or 3 x count numbers 0..1. */
  colours: string | Float32Array;
  radius: number | null;
  /** [s] of each point, or of each frame. */
  times: number[] | null;
}

const palette = ["#4dd2ff", "#ffb000", "#5ee27a", "#ff7ab8", "#c9a2ff", "#f5f06a"];

/** The items of a scene, fetched. Errors   when there is none, and when positions are not (3, n) or (3, n, t) */
export async function sceneItems(client: Client, port: string, info: ValueInfo, signal: AbortSignal): Promise<Item[]> {
  const value = info.value;
  const list = isRecord(value) && Array.isArray(value["items"]) ? value["items"].filter(isRecord) : [];
  if (list.length === 0) throw new ViewerError(messages.noScene());
  return Promise.all(
    list.map(async (record, k): Promise<Item> => {
      const [positions, directions, colours, times] = await Promise.all([
        triples(client, port, info.hash, record["positions"], signal),
        record["directions"] !== undefined ? triples(client, port, info.hash, record["directions"], signal) : null,
        colourOf(client, port, info.hash, record["colours"] ?? record["colour"], palette[k % palette.length]!, signal),
        numbersAt(client, port, info.hash, record["times"], signal),
      ]);
      if (!positions) throw new ViewerError(messages.positions([]));
      const radius = record["radius"];
      const kind = ["points", "lines", "spheres", "arrows"].find((n) => n === record["kind"]) as Kind | undefined;
      return {
        kind: kind ?? "points",
        title: textField(record, "title", "name"),
        count: positions.count,
        frames: positions.frames,
        directions: directions?.frames[0] ?? null,
        colours,
        radius: typeof radius === "number" && radius > 0 ? radius : null,
        times: times && times.length > 1 ? times : null,
      };
    }),
  );
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

async function colourOf(
  client: Client,
  port: string,
  hash: string,
  t: Tree | undefined,
  or: string,
  signal: AbortSignal,
): Promise<string | Float32Array> {
  if (typeof t === "string" && t) return t;
  const got = t === undefined || t === null ? null : await triples(client, port, hash, t, signal);
  if (!got) return or;
  const all = got.frames[0]!;
  const scale = all.some((v) => v > 1) ? 1 / 255 : 1; // bytes or fractions
  return all.map((v) => v * scale);
}

/** All times of the scene in order, each once; empty when nothing moves. */
export function sceneTimes(items: readonly Item[]): number[] {
  const all = new Set<number>();
  for (const item of items) {
    if (item.times) item.times.forEach((t) => all.add(t));
    else if (item.frames.length > 1) item.frames.forEach((_, f) => all.add(f));
  }
  return [...all].filter(Number.isFinite).sort((a, b) => a - b);
}

/** What of an item is seen at a time: its frame, and how many of its points have come by then. */
export function seenAt(item: Item, time: number): { frame: number; count: number } {
  if (item.frames.length > 1) {
    const times = item.times && item.times.length === item.frames.length ? item.times : item.frames.map((_, f) => f);
    let frame = 0;
    times.forEach((t, f) => {
      if (t <= time) frame = f;
    });
    return { frame, count: item.count };
  }
  if (!item.times || item.times.length !== item.count) return { frame: 0, count: item.count };
  return { frame: 0, count: item.times.filter((t) => t <= time).length };
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
    for (const frame of item.frames) {
      frame.forEach((v, i) => {
        see(i % 3, v);
        if (item.directions) see(i % 3, v + item.directions[i]!);
      });
    }
  }
  for (let c = 0; c < 3; ++c) {
    if (!(high[c]! >= low[c]!)) [low[c], high[c]] = [-1, 1];
  }
  return { low, high };
}
