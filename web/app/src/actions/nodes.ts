// SPDX-License-Identifier: Apache-2.0
// Nodes are added, put into wires and taken out.
import { addNode, bridge, connect, disconnect, geometry, type GraphDoc, insertOnWire, type Json, moveItems, nodeView, type Point, portsForBridge, portsForWire, removeItems, splitPort } from "@larmor/graph";
import { rectOf, thumbnailPort } from "../canvas/model.ts";
import type { Session } from "../state/session.ts";
import { catalogue, count, theCanvas } from "./canvas.ts";

/** The node and port that feed an in-port; null when none does, or the graph itself. */
export function sourceOf(session: Session, node: string, port: string): { path: string; port: string } | null {
  const from = session.level.graph.wires?.[`${node}.${port}`];
  if (!from) return null;
  const [n, p] = splitPort(from);
  return { path: session.pathOf(n), port: p };
}

export interface Attach {
  node: string;
  port: string;
  side: "in" | "out";
  to: string;  // port of the new node
}
/**
 * A node of an operation (or of a graph), joined to the wire that the hand held, or put into a wire. `free`: beside other nodes
 * rather than over them, where no hand said where.
 */
export function add(session: Session, what: { op: string } | { graph: string }, at: Point, more: { attach?: Attach; wire?: string | null; settings?: Record<string, Json>; free?: boolean } = {}): string | null {
  let made: string | null = null;
  const title = "op" in what ? (catalogue().ops.get(what.op)?.title ?? what.op) : (catalogue().graphs.get(what.graph)?.title ?? what.graph);
  session.edit(`add ${title}`, (g, level) => {
    const added = addNode(g, what, at, more.settings);
    made = added.id;
    let out = added.graph;
    const view = () => nodeView({ ...level, graph: out, scopes: [{ pointer: level.pointer, graph: out }, ...level.scopes.slice(1)] }, added.id, catalogue());
    if (more.free) {
      const shape = geometry.nodeShape(view(), false, thumbnailPort(view(), catalogue()) !== null);
      const others = (theCanvas()?.nodes() ?? []).filter((n) => n.type !== "frame").map(rectOf);
      out = moveItems(out, { nodes: { [added.id]: geometry.freePlace({ x: at[0], y: at[1], w: shape.w, h: shape.h }, others) } });
    }
    if (more.attach) {
      const { node, port, side, to } = more.attach;
      const target = view()[side === "out" ? "inputs" : "outputs"].find((p) => p.base === to)?.name ?? to;
      out = side === "out" ? connect(out, `${node}.${port}`, `${added.id}.${target}`) : connect(out, `${added.id}.${target}`, `${node}.${port}`);
    } else if (more.wire) out = putOnWire(session, out, added.id, more.wire) ?? out;
    return out;
  });
  if (made) {
    session.select({ nodes: [made] });
    theCanvas()?.seen(made);
  }
  return made;
}

/** The graph with a node put into a wire; null when its types do not fit. */
function putOnWire(session: Session, g: GraphDoc, id: string, to: string) {
  const from = g.wires?.[to];
  if (!from || splitPort(from)[0] === id || splitPort(to)[0] === id) return null;
  const level = { ...session.level, graph: g };
  const scoped = { ...level, scopes: [{ pointer: level.pointer, graph: g }, ...level.scopes.slice(1)] };
  const view = (n: string) => nodeView(scoped, n, catalogue());
  const source = view(splitPort(from)[0]).outputs.find((p) => p.name === splitPort(from)[1])?.type ?? "any";
  const target = view(splitPort(to)[0]).inputs.find((p) => p.name === splitPort(to)[1])?.type ?? "any";
  const ports = portsForWire(catalogue(), g, id, view(id), source, target);
  return ports && insertOnWire(g, to, id, ports.input, ports.output);
}
/** True when a node could stand in a wire: it has no wires of its own yet, and its types fit. */
export function fitsWire(session: Session, id: string, to: string): boolean {
  const g = session.level.graph;
  const touched = Object.entries(g.wires ?? {}).some(([t, f]) => splitPort(t)[0] === id || splitPort(f)[0] === id);
  return !touched && putOnWire(session, g, id, to) !== null;
}
export function insertInto(session: Session, id: string, to: string) {
  session.edit("insert into wire", (g) => putOnWire(session, g, id, to) ?? g);
}

export function remove(session: Session, selection = session.state.selected, wires = session.state.wires) {
  const n = selection.nodes.length;
  const label = n ? `delete ${count(n, "node")}` : wires.length ? `cut ${count(wires.length, "wire")}` : "delete";
  session.edit(label, (g) => removeItems(wires.length ? disconnect(g, ...wires) : g, selection));
}
/** Takes nodes away and joins what they stood between. */
export function removeBridging(session: Session) {
  const { nodes } = session.state.selected;
  if (!nodes.length) return remove(session);
  session.edit(`remove ${count(nodes.length, "node")} from the wire`, (g, level) => {
    let out = g;
    for (const id of nodes) {
      const ports = portsForBridge(catalogue(), out, id, nodeView({ ...level, graph: out }, id, catalogue()));
      out = removeItems(ports ? bridge(out, id, ports.input, ports.output) : out, { nodes: [id] });
    }
    return out;
  });
}
