// SPDX-License-Identifier: Apache-2.0
// Where things lie: rows, columns, frames, notes.
import { addComment, addFrame, geometry, moveItems, type Point } from "@larmor/graph";
import { itemOf, rectOf } from "../canvas/model.ts";
import type { Session } from "../state/session.ts";
import { theCanvas } from "./canvas.ts";

function chosenRects(session: Session, all = false): Map<string, geometry.Rect> {
  const { nodes, comments, frames } = session.state.selected;
  const chosen = new Set([...nodes, ...comments.map((c) => "comment:" + c), ...frames.map((f) => "frame:" + f)]);
  return new Map((theCanvas()?.nodes() ?? []).filter((n) => n.type !== "ends" && (all || chosen.has(n.id))).map((n) => [n.id, rectOf(n)]));
}
function moveTo(session: Session, label: string, places: Map<string, Point>) {
  const moves = { nodes: {}, comments: {}, frames: {} } as Record<"nodes" | "comments" | "frames", Record<string, Point>>;
  for (const [id, at] of places) {
    const item = itemOf(id);
    if (item.kind !== "ends") moves[item.kind][item.id] = at;
  }
  session.edit(label, (g) => moveItems(g, moves));
}
export function alignSelection(session: Session, side: geometry.Side) {
  const rects = chosenRects(session);
  if (rects.size > 1) moveTo(session, `align ${side}`, geometry.align(rects, side));
}
export function distributeSelection(session: Session, along: "x" | "y") {
  const rects = chosenRects(session);
  if (rects.size > 2) moveTo(session, "distribute", geometry.distribute(rects, along));
}
export function nudge(session: Session, dx: number, dy: number) {
  const rects = chosenRects(session);
  moveTo(session, "move", new Map([...rects].map(([id, r]) => [id, [r.x + dx, r.y + dy]])));
}
/** Places nodes along their wires: the chosen ones, or all. */
export async function autoLayout(session: Session) {
  const { layout } = await import("@larmor/graph/layout");
  const rects = new Map([...chosenRects(session, true)].filter(([id]) => itemOf(id).kind === "nodes"));
  const { nodes } = session.state.selected;
  session.edit("lay out", (g) => moveItems(g, layout(g, rects, nodes.length > 1 ? new Set(nodes) : undefined)));
  if (nodes.length < 2) setTimeout(() => theCanvas()?.fit(), 30);
}

export function comment(session: Session, at = theCanvas()?.place() ?? [0, 0]) {
  let made = "";
  session.edit("add comment", (g) => {
    const added = addComment(g, at, "");
    made = added.id;
    return added.graph;
  });
  if (made) session.select({ comments: [made] });
}
/** A frame around what is chosen, or an empty one. */
export function frame(session: Session) {
  const box = geometry.bounds(chosenRects(session).values());
  const at = theCanvas()?.place() ?? [0, 0];
  const r = box ? { x: box.x - 24, y: box.y - 44, w: box.w + 48, h: box.h + 68 } : { x: at[0], y: at[1], w: 360, h: 240 };
  let made = "";
  session.edit("add frame", (g) => {
    const added = addFrame(g, [r.x, r.y], [r.w, r.h], "Frame");
    made = added.id;
    return added.graph;
  });
  if (made) session.select({ frames: [made] });
}
