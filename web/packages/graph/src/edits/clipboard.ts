// SPDX-License-Identifier: Apache-2.0
import { type Comment, type Frame, freshId, type GraphDoc, type NodeDoc, type Point, splitPort } from "../document.ts";
import { put } from "../json.ts";
import type { Level } from "../level.ts";
import { adoptDefinitions, neededDefinitions } from "./groups.ts";
import { round, type Selection } from "./nodes.ts";

/** A piece of a graph, as the clipboard holds it: text that any Studio reads. */
export interface Clip {
  larmor_clip: 1;
  nodes: Record<string, NodeDoc>;
  wires: Record<string, string>;
  incoming: Record<string, string>;  // wires from nodes that were not copied
  comments: Record<string, Comment>;
  frames: Record<string, Frame>;
  definitions: Record<string, GraphDoc>;
}

export function copy(level: Level, { nodes = [], comments = [], frames = [] }: Selection): Clip {
  const g = level.graph;
  const taken = new Set(nodes);
  const clip: Clip = { larmor_clip: 1, nodes: {}, wires: {}, incoming: {}, comments: {}, frames: {}, definitions: {} };
  for (const id of nodes) if (g.nodes?.[id]) clip.nodes[id] = g.nodes[id];
  for (const id of comments) if (g.comments?.[id]) clip.comments[id] = g.comments[id];
  for (const id of frames) if (g.frames?.[id]) clip.frames[id] = g.frames[id];
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    if (!taken.has(splitPort(to)[0])) continue;
    (taken.has(splitPort(from)[0]) ? clip.wires : clip.incoming)[to] = from;
  }
  clip.definitions = neededDefinitions(level, Object.values(clip.nodes));
  return clip;
}

/** The clip in a text, or null when the text is something else. */
export function parseClip(text: string): Clip | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== "object" || json === null) return null;
  const map = (v: unknown) => (typeof v === "object" && v !== null && !Array.isArray(v) ? (v as Record<string, never>) : {});
  const c = json as Record<string, unknown>;
  // A whole graph pastes as well: its nodes are the clip.
  if (c.larmor_clip !== 1 && c.larmor !== 1) return null;
  return { larmor_clip: 1, nodes: map(c.nodes), wires: map(c.wires), incoming: map(c.incoming), comments: map(c.comments), frames: map(c.frames), definitions: map(c.definitions) };
}

/** The upper left corner of everything in a clip. */
export function clipCorner(clip: Clip): Point {
  const all = [...Object.values(clip.nodes), ...Object.values(clip.comments), ...Object.values(clip.frames)].map((i): Point => i.at ?? [0, 0]);
  return all.length ? [Math.min(...all.map((a) => a[0])), Math.min(...all.map((a) => a[1]))] : [0, 0];
}

/** New ids for everything; with `upstream`, wires from nodes that are here come along too. */
export function paste(level: Level, clip: Clip, at: Point, upstream = false): { graph: GraphDoc; selection: Required<Selection> } {
  const g = level.graph;
  const corner = clipCorner(clip);
  const shift = (p: Point = [0, 0]): Point => round([p[0] - corner[0] + at[0], p[1] - corner[1] + at[1]]);
  const adopted = adoptDefinitions(level, clip.definitions);
  const ids = new Map<string, string>();
  const nodes = { ...g.nodes }, comments = { ...g.comments }, frames = { ...g.frames }, wires = { ...g.wires };
  for (const [id, node] of Object.entries(clip.nodes)) {
    const fresh = freshId(id, nodes);
    ids.set(id, fresh);
    nodes[fresh] = { ...node, at: shift(node.at), ...(node.graph ? { graph: adopted.names.get(node.graph) ?? node.graph } : {}) };
  }
  const ref = (r: string) => `${ids.get(splitPort(r)[0])}.${splitPort(r)[1]}`;
  const copied = (r: string) => ids.has(splitPort(r)[0]);
  for (const [to, from] of Object.entries(clip.wires)) if (copied(to) && copied(from)) wires[ref(to)] = ref(from);
  if (upstream) for (const [to, from] of Object.entries(clip.incoming)) if (copied(to) && g.nodes?.[splitPort(from)[0]]) wires[ref(to)] = from;
  const selection: Required<Selection> = { nodes: [...ids.values()], comments: [], frames: [] };
  for (const [id, c] of Object.entries(clip.comments)) {
    const fresh = freshId(id, comments);
    comments[fresh] = { ...c, at: shift(c.at) };
    selection.comments.push(fresh);
  }
  for (const [id, f] of Object.entries(clip.frames)) {
    const fresh = freshId(id, frames);
    frames[fresh] = { ...f, at: shift(f.at) };
    selection.frames.push(fresh);
  }
  let out = put(g, "nodes", nodes);
  out = put(out, "wires", wires);
  out = put(out, "comments", comments);
  out = put(out, "frames", frames);
  out = put(out, "definitions", { ...g.definitions, ...adopted.definitions });
  return { graph: out, selection };
}
