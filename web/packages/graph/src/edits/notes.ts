// SPDX-License-Identifier: Apache-2.0
import { type Comment, type Frame, freshId, type GraphDoc, type Point } from "../document.ts";
import { round } from "./nodes.ts";

export function addComment(g: GraphDoc, at: Point, text = "", size: Point = [260, 120]): { graph: GraphDoc; id: string } {
  const id = freshId("c1", g.comments ?? {});
  return { graph: { ...g, comments: { ...g.comments, [id]: { at: round(at), size, text } } }, id };
}
export function changeComment(g: GraphDoc, id: string, change: Partial<Comment>): GraphDoc {
  const old = g.comments?.[id];
  return old ? { ...g, comments: { ...g.comments, [id]: clean({ ...old, ...change }) } } : g;
}
export function addFrame(g: GraphDoc, at: Point, size: Point, title = ""): { graph: GraphDoc; id: string } {
  const id = freshId("f1", g.frames ?? {});
  const frame: Frame = { at: round(at), size: round(size) };
  if (title) frame.title = title;
  return { graph: { ...g, frames: { ...g.frames, [id]: frame } }, id };
}
export function changeFrame(g: GraphDoc, id: string, change: Partial<Frame>): GraphDoc {
  const old = g.frames?.[id];
  return old ? { ...g, frames: { ...g.frames, [id]: clean({ ...old, ...change }) } } : g;
}

function clean<T extends { at: Point; size: Point; colour?: string; title?: string }>(item: T): T {
  const copy = { ...item, at: round(item.at), size: round(item.size) };
  if (!copy.colour) delete copy.colour;
  if (!copy.title) delete copy.title;
  return copy;
}
