// SPDX-License-Identifier: Apache-2.0
import dagre from "@dagrejs/dagre";
import { type GraphDoc, type Point, splitPort } from "./document.ts";
import { bounds, overlap, type Rect } from "./geometry.ts";
import type { Moves } from "./edits/nodes.ts";

/** Room that a frame leaves around what it holds; above, its title has a line. */
const frameRoom = { side: 24, top: 44, bottom: 24 };
const gap = 28;

/**
 * Places of nodes from left to right along their wires (dagre). With `only`, the others stay where they are and the
 * chosen ones keep their upper left corner. Otherwise what lies in a frame stays together in it, the frame fits around
 * it, and comments stay by the node that they were next to. Nothing overlaps afterwards.
 */
export function layout(g: GraphDoc, rects: Map<string, Rect>, only?: Set<string>): Moves {
  const ids = [...rects.keys()].filter((id) => !only || only.has(id));
  if (ids.length === 0) return {};
  const before = bounds(ids.map((id) => rects.get(id)!))!;
  if (only) {
    const placed = ranked(g, new Map(ids.map((id) => [id, rects.get(id)!])), (id) => id);
    return { nodes: points(moved(placed, before)) };
  }

  const frames = new Map(Object.entries(g.frames ?? {}).map(([id, f]) => [id, { x: f.at[0], y: f.at[1], w: f.size[0], h: f.size[1] }]));
  const frameOf = innermost(rects, frames);
  const { nodes, frames: around } = nested(g, rects, frames, frameOf);
  const shift = offset(bounds([...nodes.values(), ...around.values()])!, bounds([before, ...[...around.keys()].map((f) => frames.get(f)!)])!);
  const placed = shifted(nodes, shift), framed = shifted(around, shift);
  const comments = commentPlaces(g, rects, placed, framed);
  return {
    nodes: points(placed), comments, frames: points(framed),
    frameSizes: Object.fromEntries([...framed].map(([id, r]) => [id, [Math.round(r.w), Math.round(r.h)] as Point])),
  };
}

/** One level: rectangles in ranks. `owner` tells which rectangle the end of a wire belongs to. */
function ranked(g: GraphDoc, rects: Map<string, Rect>, owner: (node: string) => string | null): Map<string, Rect> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: gap, ranksep: 72, ranker: rects.size > 600 ? "longest-path" : "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, r] of rects) graph.setNode(id, { width: r.w, height: r.h });
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    const t = owner(splitPort(to)[0]), f = owner(splitPort(from)[0]);
    if (t !== null && f !== null && t !== f && rects.has(t) && rects.has(f)) graph.setEdge(f, t);
  }
  dagre.layout(graph);
  return wrapped(new Map([...rects].map(([id, r]) => [id, { x: graph.node(id).x! - r.w / 2, y: graph.node(id).y! - r.h / 2, w: r.w, h: r.h }])));
}

/** A page is about so much wider than high. */
const pageAspect = 1.3;
const rowGap = 64;

/** What is much wider than a page goes on below, like lines of text: a long chain is readable then without scrolling. */
function wrapped(placed: Map<string, Rect>): Map<string, Rect> {
  const whole = bounds(placed.values());
  if (!whole || whole.w < 1400) return placed;
  // Columns: what overlaps across stays together.
  const columns: { left: number; right: number; ids: string[] }[] = [];
  for (const [id, r] of [...placed].sort((a, b) => a[1].x - b[1].x)) {
    const last = columns.at(-1);
    if (last && r.x < last.right) {
      last.ids.push(id);
      last.right = Math.max(last.right, r.x + r.w);
    } else columns.push({ left: r.x, right: r.x + r.w, ids: [id] });
  }
  const size = (rows: (typeof columns)[]) => {
    const boxes = rows.map((row) => bounds(row.flatMap((c) => c.ids.map((id) => placed.get(id)!)))!);
    return { boxes, w: Math.max(...boxes.map((b) => b.w)), h: boxes.reduce((h, b) => h + b.h, rowGap * (rows.length - 1)) };
  };
  const need = (rows: (typeof columns)[]) => ((s) => Math.max(s.w, pageAspect * s.h))(size(rows));
  let best = [columns];
  for (let n = 2; n <= Math.min(5, columns.length); n++) {
    const rows = broken(columns, n);
    if (need(rows) < 0.85 * need(best)) best = rows;
  }
  const { boxes } = size(best);
  const out = new Map<string, Rect>();
  let top = whole.y;
  best.forEach((row, k) => {
    for (const id of row.flatMap((c) => c.ids)) out.set(id, { ...placed.get(id)!, x: placed.get(id)!.x - boxes[k]!.x + whole.x, y: placed.get(id)!.y - boxes[k]!.y + top });
    top += boxes[k]!.h + rowGap;
  });
  return out;
}

/** Columns in `n` rows, the widest as narrow as can be. */
function broken<T extends { left: number; right: number }>(columns: T[], n: number): T[][] {
  const fill = (most: number) => {
    const rows: T[][] = [];
    for (const c of columns) {
      const row = rows.at(-1);
      if (row && c.right - row[0]!.left <= most) row.push(c);
      else rows.push([c]);
    }
    return rows;
  };
  const widths = columns.flatMap((a, i) => columns.slice(i).map((b) => b.right - a.left)).sort((a, b) => a - b);
  return fill(widths.find((w) => fill(w).length <= n)!);
}

const centred = (outer: Rect, r: Rect) => {
  const x = r.x + r.w / 2, y = r.y + r.h / 2;
  return x >= outer.x && y >= outer.y && x <= outer.x + outer.w && y <= outer.y + outer.h;
};

/** The smallest frame around the middle of each node and frame ("node", "frame:id"). */
function innermost(nodes: Map<string, Rect>, frames: Map<string, Rect>): Map<string, string> {
  const out = new Map<string, string>();
  const find = (key: string, r: Rect, self: string | null) => {
    let best: string | null = null;
    for (const [id, f] of frames) {
      if (id === self || !centred(f, r) || (self !== null && f.w * f.h <= r.w * r.h)) continue;
      if (best === null || f.w * f.h < frames.get(best)!.w * frames.get(best)!.h) best = id;
    }
    if (best !== null) out.set(key, best);
  };
  for (const [id, r] of nodes) find(id, r, null);
  for (const [id, r] of frames) find("frame:" + id, r, id);
  return out;
}

/** Frames from the inside out: each is laid out by itself and is one rectangle in what it lies in. */
function nested(g: GraphDoc, nodes: Map<string, Rect>, frames: Map<string, Rect>, frameOf: Map<string, string>): { nodes: Map<string, Rect>; frames: Map<string, Rect> } {
  const chain = (node: string): string[] => {
    const out: string[] = [];
    for (let f = frameOf.get(node); f !== undefined && !out.includes(f); f = frameOf.get("frame:" + f)) out.push(f);
    return out; // innermost first
  };
  const chains = new Map([...nodes.keys()].map((id) => [id, chain(id)]));
  const build = (frame: string | null): { nodes: Map<string, Rect>; frames: Map<string, Rect> } => {
    const items = new Map<string, Rect>();
    const inner = new Map<string, ReturnType<typeof build>>();
    for (const [id, r] of nodes) if ((chains.get(id)![0] ?? null) === frame) items.set(id, r);
    for (const f of frames.keys()) {
      if ((frameOf.get("frame:" + f) ?? null) !== frame) continue;
      const content = build(f);
      if (!content.nodes.size) continue; // an empty frame stays where it is
      const b = bounds([...content.nodes.values(), ...content.frames.values()])!;
      inner.set(f, { nodes: shifted(content.nodes, [frameRoom.side - b.x, frameRoom.top - b.y]), frames: shifted(content.frames, [frameRoom.side - b.x, frameRoom.top - b.y]) });
      items.set("frame:" + f, { x: 0, y: 0, w: b.w + 2 * frameRoom.side, h: b.h + frameRoom.top + frameRoom.bottom });
    }
    const owner = (node: string): string | null => {
      if (items.has(node)) return node;
      const through = chains.get(node)?.find((f) => items.has("frame:" + f));
      return through === undefined ? null : "frame:" + through;
    };
    const placed = ranked(g, items, owner);
    const out = { nodes: new Map<string, Rect>(), frames: new Map<string, Rect>() };
    for (const [id, r] of placed) {
      if (!id.startsWith("frame:") || nodes.has(id)) {
        out.nodes.set(id, r);
        continue;
      }
      const f = id.slice(6), content = inner.get(f)!;
      out.frames.set(f, r);
      for (const [n, q] of shifted(content.nodes, [r.x, r.y])) out.nodes.set(n, q);
      for (const [n, q] of shifted(content.frames, [r.x, r.y])) out.frames.set(n, q);
    }
    return out;
  };
  return build(null);
}

/** Comments go with the nearest node; where there is no room, above or below everything. */
function commentPlaces(g: GraphDoc, old: Map<string, Rect>, nodes: Map<string, Rect>, frames: Map<string, Rect>): Record<string, Point> {
  const out: Record<string, Point> = {};
  const taken = [...nodes.values(), ...frames.values()];
  const all = bounds(taken)!;
  const distance = (a: Rect, b: Rect) => Math.hypot(Math.max(0, a.x - b.x - b.w, b.x - a.x - a.w), Math.max(0, a.y - b.y - b.h, b.y - a.y - a.h));
  for (const [id, c] of Object.entries(g.comments ?? {})) {
    const r: Rect = { x: c.at[0], y: c.at[1], w: c.size[0], h: c.size[1] };
    const [anchor] = [...old].reduce<[string, Rect]>((best, one) => (distance(r, one[1]) < distance(r, best[1]) ? one : best), [...old][0]!);
    const was = old.get(anchor)!, now = nodes.get(anchor)!;
    const above = r.y + r.h / 2 < was.y + was.h / 2;
    const spots: Point[] = [
      [now.x + r.x - was.x, now.y + r.y - was.y],
      [now.x, above ? now.y - r.h - gap : now.y + now.h + gap],
      [now.x, above ? now.y + now.h + gap : now.y - r.h - gap],
      [now.x, above ? all.y - r.h - gap : all.y + all.h + gap],
    ];
    // Right and left of everything stand the ports of the graph itself.
    const ends = (p: Point) => (g.outputs && p[0] + r.w > all.x + all.w + 60) || (g.inputs && p[0] < all.x - 60);
    const free = (p: Point) => !ends(p) && !taken.some((t) => overlap(t, { ...r, x: p[0], y: p[1] }));
    let spot = spots.find(free);
    for (let p = spots[3]!; !spot; p = p[0] < all.x + all.w ? [p[0] + 40, p[1]] : [all.x, p[1] + (above ? -40 : 40)]) if (free(p)) spot = p;
    out[id] = [Math.round(spot[0]), Math.round(spot[1])];
    taken.push({ ...r, x: out[id][0], y: out[id][1] });
  }
  return out;
}

const offset = (from: Rect, to: Rect): Point => [to.x - from.x, to.y - from.y];
const shifted = (rects: Map<string, Rect>, [dx, dy]: Point) => new Map([...rects].map(([id, r]) => [id, { ...r, x: Math.round(r.x + dx), y: Math.round(r.y + dy) }]));
const moved = (rects: Map<string, Rect>, to: Rect) => shifted(rects, offset(bounds(rects.values())!, to));
const points = (rects: Map<string, Rect>): Record<string, Point> => Object.fromEntries([...rects].map(([id, r]) => [id, [r.x, r.y] as Point]));
