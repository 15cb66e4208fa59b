// SPDX-License-Identifier: Apache-2.0
import { freshId, type GraphDoc, type Loop, type MapOver, type Mode, type NodeDoc, type Point, type Policy, splitPort } from "../document.ts";
import { type Json, put, without } from "../json.ts";

/** What a hand can hold on the canvas. */
export interface Selection {
  nodes?: string[];
  comments?: string[];
  frames?: string[];
}

export const round = ([x, y]: Point): Point => [Math.round(x), Math.round(y)];

export function changeNode(g: GraphDoc, id: string, change: (node: NodeDoc) => NodeDoc): GraphDoc {
  const node = g.nodes?.[id];
  if (!node) return g;
  const changed = change(node);
  return changed === node ? g : { ...g, nodes: { ...g.nodes, [id]: changed } };
}

/** A node of an operation, or of a graph; its id is the last part of the operation's ("math.add" -> "add"). */
export function addNode(g: GraphDoc, what: { op: string } | { graph: string }, at: Point, settings: Record<string, Json> = {}): { graph: GraphDoc; id: string } {
  const wish = "op" in what ? what.op.slice(what.op.lastIndexOf(".") + 1) : what.graph;
  const id = freshId(wish, g.nodes ?? {});
  const node = put<NodeDoc, "settings">({ ...what, at: round(at) }, "settings", settings);
  return { graph: { ...g, nodes: { ...g.nodes, [id]: node } }, id };
}

/** Wires after some were cut: the numbers of repeated ports close up, in their order. */
export function compactRepeated(g: GraphDoc, cut: string[]): GraphDoc {
  const stems = new Set(cut.flatMap((to) => /^(.+)\.\d+$/.exec(to)?.[1] ?? []).filter((stem) => stem.includes(".")));
  if (stems.size === 0) return g;
  const rename = new Map<string, string>();
  for (const stem of stems) {
    const numbered = [...Object.keys(g.wires ?? {}), ...Object.values(g.inputs ?? {}).flatMap((i) => i.to ?? [])]
      .filter((to) => to.startsWith(stem + ".") && /^\d+$/.test(to.slice(stem.length + 1)))
      .sort((a, b) => Number(a.slice(stem.length + 1)) - Number(b.slice(stem.length + 1)));
    numbered.forEach((to, i) => rename.set(to, `${stem}.${i + 1}`));
  }
  const to = (name: string) => rename.get(name) ?? name;
  let out = put(g, "wires", Object.fromEntries(Object.entries(g.wires ?? {}).map(([k, v]) => [to(k), v])));
  if (g.inputs) out = { ...out, inputs: Object.fromEntries(Object.entries(g.inputs).map(([k, v]) => [k, v.to ? { ...v, to: v.to.map(to) } : v])) };
  return out;
}

/** Definitions that no node names any more, neither here nor in the definitions that stay. */
export function pruneDefinitions(g: GraphDoc): GraphDoc {
  if (!g.definitions) return g;
  const used = new Set<string>();
  // `hidden`: names that definitions in between have of their own.
  const visit = (graph: GraphDoc, hidden: Set<string>) => {
    for (const { graph: name } of Object.values(graph.nodes ?? {})) {
      if (!name || hidden.has(name) || used.has(name)) continue;
      used.add(name);
      const d = g.definitions?.[name];
      if (d) visit(d, new Set(Object.keys(d.definitions ?? {})));
    }
    if (graph !== g) for (const d of Object.values(graph.definitions ?? {})) visit(d, new Set([...hidden, ...Object.keys(d.definitions ?? {})]));
  };
  visit(g, new Set());
  const gone = Object.keys(g.definitions).filter((name) => !used.has(name));
  return gone.length ? put(g, "definitions", without(g.definitions, ...gone)) : g;
}

/** Nodes with their wires, and with what the graph shows of them outside; comments; frames (their content stays). */
export function removeItems(g: GraphDoc, { nodes = [], comments = [], frames = [] }: Selection): GraphDoc {
  const gone = new Set(nodes);
  let out = g;
  if (nodes.length) {
    const touches = (ref: string) => gone.has(splitPort(ref)[0]);
    const wires = Object.entries(g.wires ?? {});
    const cut = wires.filter(([to, from]) => touches(to) || touches(from)).map(([to]) => to);
    out = put(out, "nodes", without(out.nodes ?? {}, ...nodes));
    out = put(out, "wires", without(out.wires ?? {}, ...cut));
    if (out.inputs) {
      out = { ...out, inputs: Object.fromEntries(Object.entries(out.inputs).map(([k, v]) => [k, v.to?.some(touches) ? put(v, "to", v.to.filter((t) => !touches(t))) : v])) };
    }
    if (out.outputs) {
      out = { ...out, outputs: Object.fromEntries(Object.entries(out.outputs).map(([k, v]) => [k, v.from && touches(v.from) ? put(v, "from", undefined) : v])) };
    }
    if (out.settings) out = put(out, "settings", Object.fromEntries(Object.entries(out.settings).filter(([, p]) => !gone.has(p.node.split("/")[0]!))));
    out = compactRepeated(out, cut.filter((to) => !touches(to)));
    if (nodes.some((id) => g.nodes?.[id]?.graph)) out = pruneDefinitions(out);
  }
  if (comments.length) out = put(out, "comments", without(out.comments ?? {}, ...comments));
  if (frames.length) out = put(out, "frames", without(out.frames ?? {}, ...frames));
  return out;
}

export type Moves = { nodes?: Record<string, Point>; comments?: Record<string, Point>; frames?: Record<string, Point>; frameSizes?: Record<string, Point> };

export function moveItems(g: GraphDoc, moves: Moves): GraphDoc {
  let out = g;
  for (const kind of ["nodes", "comments", "frames"] as const) {
    const map = out[kind] as Record<string, { at?: Point }> | undefined;
    const changed = Object.entries(moves[kind] ?? {}).filter(([id, at]) => {
      const old = map?.[id]?.at;
      return map?.[id] && (!old || old[0] !== Math.round(at[0]) || old[1] !== Math.round(at[1]));
    });
    if (changed.length) out = { ...out, [kind]: { ...map, ...Object.fromEntries(changed.map(([id, at]) => [id, { ...map![id], at: round(at) }])) } };
  }
  for (const [id, size] of Object.entries(moves.frameSizes ?? {})) {
    const frame = out.frames?.[id];
    if (frame && (frame.size[0] !== size[0] || frame.size[1] !== size[1])) out = { ...out, frames: { ...out.frames, [id]: { ...frame, size: round(size) } } };
  }
  return out;
}

/** A setting; a default is left out of the file. */
export function setSetting(g: GraphDoc, id: string, name: string, value: Json | undefined): GraphDoc {
  return changeNode(g, id, (n) => put(n, "settings", value === undefined ? without(n.settings ?? {}, name) : { ...n.settings, [name]: value }));
}
export function resetSettings(g: GraphDoc, id: string): GraphDoc {
  return changeNode(g, id, (n) => put(put(n, "settings", undefined), "sweeps", undefined));
}
/** Values that the setting takes one after the other; undefined ends the sweep. */
export function setSweep(g: GraphDoc, id: string, name: string, values: Json[] | undefined): GraphDoc {
  return changeNode(g, id, (n) => put(n, "sweeps", values === undefined ? without(n.sweeps ?? {}, name) : { ...n.sweeps, [name]: values }));
}
/** Makes a setting an in-port, or a setting again; its wire goes with the port. */
export function setPort(g: GraphDoc, id: string, name: string, on: boolean): GraphDoc {
  const has = g.nodes?.[id]?.ports?.includes(name) ?? false;
  if (has === on) return g;
  let out = changeNode(g, id, (n) => put(n, "ports", on ? [...(n.ports ?? []), name] : (n.ports ?? []).filter((p) => p !== name)));
  if (!on && out.wires) out = put(out, "wires", without(out.wires, `${id}.${name}`));
  return out;
}
export function setMode(g: GraphDoc, ids: string[], mode: Mode): GraphDoc {
  return ids.reduce((graph, id) => changeNode(graph, id, (n) => put(n, "mode", mode === "normal" ? undefined : mode)), g);
}
export function setPolicy(g: GraphDoc, id: string, port: string, policy: Policy): GraphDoc {
  return changeNode(g, id, (n) => put(n, "policy", policy === "automatic" ? without(n.policy ?? {}, port) : { ...n.policy, [port]: policy }));
}
export const setMap = (g: GraphDoc, id: string, map: MapOver | undefined) => changeNode(g, id, (n) => put(n, "map", map));
export const setLoop = (g: GraphDoc, id: string, loop: Loop | undefined) => changeNode(g, id, (n) => put(n, "loop", loop));
export const setTitle = (g: GraphDoc, id: string, title: string) => changeNode(g, id, (n) => put(n, "title", title.trim() || undefined));
export const setNote = (g: GraphDoc, id: string, note: string) => changeNode(g, id, (n) => put(n, "note", note.trim() ? note : undefined));
export function setFolded(g: GraphDoc, ids: string[], folded: boolean): GraphDoc {
  return ids.reduce((graph, id) => changeNode(graph, id, (n) => put(n, "folded", folded || undefined)), g);
}

/** Another id for a node; every wire, promoted setting and graph port follows. */
export function renameNode(g: GraphDoc, id: string, wish: string): { graph: GraphDoc; id: string } {
  const node = g.nodes?.[id];
  if (!node || wish === id) return { graph: g, id };
  const next = freshId(wish, without(g.nodes!, id));
  const ref = (r: string) => (splitPort(r)[0] === id ? `${next}.${splitPort(r)[1]}` : r);
  let out: GraphDoc = { ...g, nodes: { ...without(g.nodes!, id), [next]: node } };
  if (g.wires) out.wires = Object.fromEntries(Object.entries(g.wires).map(([to, from]) => [ref(to), ref(from)]));
  if (g.inputs) out.inputs = Object.fromEntries(Object.entries(g.inputs).map(([k, v]) => [k, v.to ? { ...v, to: v.to.map(ref) } : v]));
  if (g.outputs) out.outputs = Object.fromEntries(Object.entries(g.outputs).map(([k, v]) => [k, v.from ? { ...v, from: ref(v.from) } : v]));
  if (g.settings) {
    out = { ...out, settings: Object.fromEntries(Object.entries(g.settings).map(([k, p]) => {
      const [first, ...rest] = p.node.split("/");
      return [k, first === id ? { ...p, node: [next, ...rest].join("/") } : p];
    })) };
  }
  return { graph: out, id: next };
}
