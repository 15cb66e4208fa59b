// SPDX-License-Identifier: Apache-2.0
import { type Catalogue, type Comment, type Frame, geometry, type GraphDoc, type Level, nodeView, type NodeDoc, type NodeView, portsKey, portTypeOf, type Point, splitPort } from "@larmor/graph";
import { type Edge, type Node, type NodeHandle, Position } from "@xyflow/react";

export type OpNodeType = Node<{ path: string; doc: NodeDoc; view: NodeView; shape: geometry.NodeShape; wired: string }, "op">;
export type CommentNodeType = Node<{ comment: Comment }, "comment">;
export type FrameNodeType = Node<{ frame: Frame }, "frame">;
export interface End {
  name: string;
  type: string;
  what?: string;
}
export type EndsNodeType = Node<{ side: "in" | "out"; ends: End[] }, "ends">;
export type CanvasNode = OpNodeType | CommentNodeType | FrameNodeType | EndsNodeType;
export type WireType = Edge<{ type: string; port: string; label: string }, "wire">;

export const endsIn = "$in", endsOut = "$out", freeEnd = "+";
export const commentId = (id: string) => "comment:" + id;
export const frameId = (id: string) => "frame:" + id;

/** What an id on the canvas stands for in the document. */
export function itemOf(id: string): { kind: "nodes" | "comments" | "frames" | "ends"; id: string } {
  if (id.startsWith("comment:")) return { kind: "comments", id: id.slice(8) };
  if (id.startsWith("frame:")) return { kind: "frames", id: id.slice(6) };
  if (id.startsWith("$")) return { kind: "ends", id };
  return { kind: "nodes", id };
}

const at = (p: Point = [0, 0]) => ({ x: p[0], y: p[1] });
export const pictured = new Set(["image", "volume", "picture", "curves", "maps", "scene", "trajectory"]);

/** The out-port whose picture a node shows: its first with a viewer that draws. */
export const hasPicture = (port: { type: string }, catalogue: Catalogue) => pictured.has(catalogue.viewers(port.type)[0] ?? "");
export function thumbnailPort(view: NodeView, catalogue: Catalogue): string | null {
  const port = view.outputs.find((p) => hasPicture(p, catalogue));
  return port ? port.name : null;
}

interface Cached {
  doc: NodeDoc;
  key: string;
  definitions: unknown;
  catalogue: Catalogue;
  view: NodeView;
}

/**
 * Turns a graph into what React Flow draws. Everything that did not change keeps its identity, so a graph of thousands
 * of nodes costs only what was touched; sizes and ports are computed, so nothing has to be measured.
 */
export class CanvasModel {
  private views = new Map<string, Cached>();
  private nodes = new Map<string, CanvasNode>();
  private wires = new Map<string, WireType>();

  view(level: Level, id: string, catalogue: Catalogue): NodeView {
    const doc = level.graph.nodes![id]!;
    const definitions = doc.graph ? level.scopes.map((s) => s.graph.definitions) : null;
    const key = portsKey(level.graph, id);
    const old = this.views.get(id);
    const same = old && old.doc === doc && old.key === key && old.catalogue === catalogue && (definitions === null || (Array.isArray(old.definitions) && definitions.length === old.definitions.length && definitions.every((d, i) => d === (old.definitions as unknown[])[i])));
    if (same) return old.view;
    // A node that was only moved keeps its view.
    const moved = old && old.key === key && old.catalogue === catalogue && definitions === null && old.doc.op === doc.op && old.doc.title === doc.title && old.doc.ports === doc.ports;
    const view = moved ? old.view : nodeView(level, id, catalogue);
    this.views.set(id, { doc, key, definitions, catalogue, view });
    return view;
  }

  build(level: Level, catalogue: Catalogue, thumbnails: boolean): CanvasNode[] {
    const g = level.graph;
    const next = new Map<string, CanvasNode>();
    const out: CanvasNode[] = [];
    const push = <T extends CanvasNode>(node: T, same: (old: T) => boolean) => {
      const old = this.nodes.get(node.id) as T | undefined;
      const kept = old && old.type === node.type && same(old) ? old : node;
      next.set(node.id, kept);
      out.push(kept);
    };
    for (const [id, frame] of Object.entries(g.frames ?? {})) {
      push<FrameNodeType>({ id: frameId(id), type: "frame", position: at(frame.at), width: frame.size[0], height: frame.size[1], measured: { width: frame.size[0], height: frame.size[1] }, data: { frame }, zIndex: -20, handles: [] }, (old) => old.data.frame === frame);
    }
    for (const [id, comment] of Object.entries(g.comments ?? {})) {
      push<CommentNodeType>({ id: commentId(id), type: "comment", position: at(comment.at), width: comment.size[0], height: comment.size[1], measured: { width: comment.size[0], height: comment.size[1] }, data: { comment }, zIndex: -10, handles: [] }, (old) => old.data.comment === comment);
    }
    const prefix = level.path.length ? level.path.join("/") + "/" : "";
    for (const [id, doc] of Object.entries(g.nodes ?? {})) {
      const view = this.view(level, id, catalogue);
      const wired = portsKey(g, id);
      const old = this.nodes.get(id) as OpNodeType | undefined;
      const pictures = thumbnails && !doc.folded && thumbnailPort(view, catalogue) !== null;
      if (old?.type === "op" && old.data.doc === doc && old.data.view === view && old.data.wired === wired && old.data.shape.thumbnail === pictures && old.data.path === prefix + id) {
        next.set(id, old);
        out.push(old);
        continue;
      }
      const shape = geometry.nodeShape(view, doc.folded, pictures);
      const handles: NodeHandle[] = [
        ...view.inputs.map((p, i): NodeHandle => ({ id: p.name, type: "target", position: Position.Left, x: 0, y: shape.portY(i), width: 1, height: 1 })),
        ...view.outputs.map((p, i): NodeHandle => ({ id: p.name, type: "source", position: Position.Right, x: shape.w - 1, y: shape.portY(i), width: 1, height: 1 })),
      ];
      push<OpNodeType>({ id, type: "op", position: at(doc.at), width: shape.w, height: shape.h, measured: { width: shape.w, height: shape.h }, data: { path: prefix + id, doc, view, shape, wired }, handles }, () => false);
    }
    this.ends(level, out, push);
    this.nodes = next;
    return out;
  }

  /** The ports of the graph itself, at its left and right border; a sub-graph always shows them. */
  private ends(level: Level, nodes: CanvasNode[], push: (node: EndsNodeType, same: (old: EndsNodeType) => boolean) => void) {
    const g = level.graph;
    const inner = level.path.length > 0;
    const box = geometry.bounds(nodes.filter((n) => n.type === "op").map((n) => ({ x: n.position.x, y: n.position.y, w: n.width!, h: n.height! }))) ?? { x: 0, y: 0, w: 200, h: 100 };
    for (const side of ["in", "out"] as const) {
      const ends: End[] = Object.entries((side === "in" ? g.inputs : g.outputs) ?? {}).map(([name, p]) => ({ name, type: p.type, what: p.what }));
      if (ends.length === 0 && !inner) continue;
      const width = Math.round(Math.min(260, Math.max(120, ...ends.map((e) => geometry.textWidth(e.name, 12) + 46))));
      const height = 30 + (ends.length + 1) * 24 + 6;
      // As high as the nodes that it is wired to, so that its wires go straight.
      const wired = side === "in" ? Object.values(g.inputs ?? {}).flatMap((p) => p.to ?? []) : Object.values(g.outputs ?? {}).flatMap((p) => p.from ?? []);
      const heights = wired.flatMap((port) => nodes.find((n) => n.id === splitPort(port)[0]) ?? []).map((n) => n.position.y + n.height! / 2);
      const middle = heights.length ? heights.reduce((a, b) => a + b, 0) / heights.length : box.y + box.h / 2;
      const position = { x: side === "in" ? box.x - width - 80 : box.x + box.w + 80, y: Math.round(middle - height / 2) };
      const handle = (name: string, i: number): NodeHandle => ({ id: name, type: side === "in" ? "source" : "target", position: side === "in" ? Position.Right : Position.Left, x: side === "in" ? width - 1 : 0, y: 30 + (i + 0.5) * 24, width: 1, height: 1 });
      push(
        { id: side === "in" ? endsIn : endsOut, type: "ends", position, width, height, measured: { width, height }, draggable: false, deletable: false, data: { side, ends }, handles: [...ends.map((e, i) => handle(e.name, i)), handle(freeEnd, ends.length)] },
        (old) => JSON.stringify(old.data.ends) === JSON.stringify(ends) && old.position.x === position.x && old.position.y === position.y,
      );
    }
  }

  edges(level: Level, catalogue: Catalogue, chosen: string[]): WireType[] {
    const g = level.graph;
    const prefix = level.path.length ? level.path.join("/") + "/" : "";
    const selected = new Set(chosen);
    const next = new Map<string, WireType>();
    const add = (id: string, source: string, sourceHandle: string, target: string, targetHandle: string, type: string, port: string) => {
      const old = this.wires.get(id);
      const same = old && old.source === source && old.sourceHandle === sourceHandle && old.data!.type === type && old.data!.port === port && old.selected === selected.has(id);
      next.set(id, same ? old : { id, type: "wire", source, sourceHandle, target, targetHandle, selected: selected.has(id), data: { type, port, label: `${source}.${sourceHandle} → ${target}.${targetHandle}` } });
    };
    for (const [to, from] of Object.entries(g.wires ?? {})) {
      const [target, targetHandle] = splitPort(to), [source, sourceHandle] = splitPort(from);
      if (!g.nodes?.[source] || !g.nodes[target]) continue;
      add(to, source, sourceHandle, target, targetHandle, this.outType(level, source, sourceHandle, catalogue), prefix + from);
    }
    for (const [name, p] of Object.entries(g.inputs ?? {})) for (const to of p.to ?? []) {
      const [target, targetHandle] = splitPort(to);
      if (g.nodes?.[target]) add(to, endsIn, name, target, targetHandle, p.type, "");
    }
    for (const [name, p] of Object.entries(g.outputs ?? {})) {
      if (!p.from) continue;
      const [source, sourceHandle] = splitPort(p.from);
      if (g.nodes?.[source]) add(`${endsOut}.${name}`, source, sourceHandle, endsOut, name, this.outType(level, source, sourceHandle, catalogue), prefix + p.from);
    }
    this.wires = next;
    return [...next.values()];
  }

  outType(level: Level, node: string, port: string, catalogue: Catalogue): string {
    return this.view(level, node, catalogue).outputs.find((p) => p.name === port)?.type ?? "any";
  }
}

/** Rectangles of nodes (and notes) as the canvas draws them. */
export const rectOf = (n: CanvasNode): geometry.Rect => ({ x: n.position.x, y: n.position.y, w: n.width ?? 0, h: n.height ?? 0 });

/** Types of ports for grouping. */
export function portTypes(level: Level, catalogue: Catalogue) {
  const view = (ref: string) => (level.graph.nodes?.[splitPort(ref)[0]] ? nodeView(level, splitPort(ref)[0], catalogue) : undefined);
  return {
    input: (ref: string) => {
      const p = view(ref)?.inputs.find((q) => q.name === splitPort(ref)[1]);
      return p && { type: p.type, what: p.what, required: p.required };
    },
    output: (ref: string) => {
      const p = view(ref)?.outputs.find((q) => q.name === splitPort(ref)[1]);
      return p && { type: p.type, what: p.what };
    },
    outputs: (node: string) => nodeView(level, node, catalogue).outputs.map((p) => p.name),
  };
}
export type { GraphDoc };
export { portTypeOf };
