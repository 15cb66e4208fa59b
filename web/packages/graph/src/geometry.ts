// SPDX-License-Identifier: Apache-2.0
import type { Point } from "./document.ts";
import type { NodeView } from "./node_view.ts";

/** Sizes of nodes follow from their descriptions, so wires can be drawn before (and without) measuring anything. */
export const node = { header: 34, state: 22, row: 22, pad: 7, thumbnail: 104, least: 172, most: 300 } as const;

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** About the width of a text in the interface's font [px]. */
export const textWidth = (text: string, size: number) => text.length * size * 0.56;

export interface NodeShape {
  w: number;
  h: number;
  rows: number;
  thumbnail: boolean;
  /** Height of the middle of a port. */
  portY(index: number): number;
}

export function nodeShape(view: NodeView, folded = false, thumbnail = false): NodeShape {
  const rows = Math.max(view.inputs.length, view.outputs.length);
  let w = textWidth(view.title, 13) + 62;
  for (let i = 0; i < rows; i++) {
    const a = view.inputs[i]?.name ?? "", b = view.outputs[i]?.name ?? "";
    w = Math.max(w, textWidth(a, 11.5) + textWidth(b, 11.5) + 56);
  }
  w = Math.round(Math.min(Math.max(w, thumbnail ? 190 : node.least), node.most) / 2) * 2;
  if (folded) return { w, h: node.header, rows, thumbnail: false, portY: () => node.header / 2 };
  const h = node.header + node.state + node.pad + rows * node.row + node.pad + (thumbnail ? node.thumbnail : 0);
  return { w, h, rows, thumbnail, portY: (i) => node.header + node.state + node.pad + (i + 0.5) * node.row };
}

export type Side = "left" | "right" | "top" | "bottom" | "centre" | "middle";

/** New corners of rectangles that are to stand in line. */
export function align(rects: Map<string, Rect>, side: Side): Map<string, Point> {
  const all = [...rects.values()];
  const left = Math.min(...all.map((r) => r.x)), right = Math.max(...all.map((r) => r.x + r.w));
  const top = Math.min(...all.map((r) => r.y)), bottom = Math.max(...all.map((r) => r.y + r.h));
  const place = (r: Rect): Point => {
    switch (side) {
      case "left": return [left, r.y];
      case "right": return [right - r.w, r.y];
      case "centre": return [(left + right - r.w) / 2, r.y];
      case "top": return [r.x, top];
      case "bottom": return [r.x, bottom - r.h];
      case "middle": return [r.x, (top + bottom - r.h) / 2];
    }
  };
  return new Map([...rects].map(([id, r]) => [id, place(r)]));
}

/** New corners with equal gaps between the outermost two. */
export function distribute(rects: Map<string, Rect>, along: "x" | "y"): Map<string, Point> {
  const size = along === "x" ? "w" : "h";
  const sorted = [...rects].sort((a, b) => a[1][along] - b[1][along]);
  const first = sorted[0], last = sorted.at(-1);
  const out = new Map<string, Point>();
  if (!first || !last) return out;
  const free = last[1][along] + last[1][size] - first[1][along] - sorted.reduce((s, [, r]) => s + r[size], 0);
  const gap = sorted.length > 1 ? free / (sorted.length - 1) : 0;
  let at = first[1][along];
  for (const [id, r] of sorted) {
    out.set(id, along === "x" ? [at, r.y] : [r.x, at]);
    at += r[size] + gap;
  }
  return out;
}

/** The nearest corner at which a rectangle keeps a gap to all others. */
export function freePlace(r: Rect, others: readonly Rect[], gap = 24): Point {
  const far = (o: Rect) => Math.hypot(o.x + o.w / 2 - r.x - r.w / 2, o.y + o.h / 2 - r.y - r.h / 2);
  const near = [...others].sort((a, b) => far(a) - far(b)).slice(0, 40);  // with more, a place among them is found all the same
  const hits = (x: number, y: number) => near.some((o) => x < o.x + o.w + gap && x + r.w + gap > o.x && y < o.y + o.h + gap && y + r.h + gap > o.y);
  const xs = [r.x, ...near.flatMap((o) => [o.x + o.w + gap, o.x - r.w - gap])], ys = [r.y, ...near.flatMap((o) => [o.y + o.h + gap, o.y - r.h - gap])];
  const all = xs.flatMap((x) => ys.map((y) => ({ at: [x, y] as Point, away: Math.hypot(x - r.x, y - r.y) })));
  return all.sort((a, b) => a.away - b.away).find(({ at: [x, y] }) => !hits(x, y))?.at ?? [r.x, r.y];
}

export function bounds(rects: Iterable<Rect>): Rect | null {
  let x = Infinity, y = Infinity, right = -Infinity, bottom = -Infinity;
  for (const r of rects) {
    x = Math.min(x, r.x);
    y = Math.min(y, r.y);
    right = Math.max(right, r.x + r.w);
    bottom = Math.max(bottom, r.y + r.h);
  }
  return x === Infinity ? null : { x, y, w: right - x, h: bottom - y };
}
export const overlap = (a: Rect, b: Rect) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
export const contains = (outer: Rect, r: Rect) => r.x >= outer.x && r.y >= outer.y && r.x + r.w <= outer.x + outer.w && r.y + r.h <= outer.y + outer.h;
