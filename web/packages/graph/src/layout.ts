// SPDX-License-Identifier: Apache-2.0
import dagre from "@dagrejs/dagre";
import { type GraphDoc, type Point, splitPort } from "./document.ts";
import { bounds, contains, type Rect } from "./geometry.ts";
import type { Moves } from "./edits/nodes.ts";

/**
 * Places of nodes from left to right along their wires (dagre). With `only`, the others stay where they are and the
 * chosen ones keep their upper left corner. Frames follow what they held.
 */
export function layout(g: GraphDoc, rects: Map<string, Rect>, only?: Set<string>): Moves {
  const ids = [...rects.keys()].filter((id) => !only || only.has(id));
  if (ids.length === 0) return {};
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 28, ranksep: 72, ranker: ids.length > 600 ? "longest-path" : "network-simplex" });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { width: rects.get(id)!.w, height: rects.get(id)!.h });
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    const [t] = splitPort(to), [f] = splitPort(from);
    if (graph.hasNode(t) && graph.hasNode(f) && t !== f) graph.setEdge(f, t);
  }
  dagre.layout(graph);
  const before = bounds(ids.map((id) => rects.get(id)!))!;
  const placed = new Map<string, Rect>();
  for (const id of ids) {
    const at = graph.node(id), r = rects.get(id)!;
    placed.set(id, { x: at.x! - r.w / 2, y: at.y! - r.h / 2, w: r.w, h: r.h });
  }
  const after = bounds(placed.values())!;
  const shift = (r: Rect): Rect => ({ ...r, x: Math.round(r.x - after.x + before.x), y: Math.round(r.y - after.y + before.y) });
  for (const [id, r] of placed) placed.set(id, shift(r));

  const frames: Record<string, Point> = {};
  for (const [id, f] of Object.entries(g.frames ?? {})) {
    const held = ids.filter((n) => contains({ x: f.at[0], y: f.at[1], w: f.size[0], h: f.size[1] }, rects.get(n)!));
    const old = bounds(held.map((n) => rects.get(n)!)), now = bounds(held.map((n) => placed.get(n)!));
    if (old && now) frames[id] = [f.at[0] + now.x - old.x, f.at[1] + now.y - old.y];
  }
  return { nodes: Object.fromEntries([...placed].map(([id, r]) => [id, [r.x, r.y] as Point])), frames };
}
