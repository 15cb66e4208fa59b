// SPDX-License-Identifier: Apache-2.0
import { freshId, type GraphDoc, type GraphInput, type GraphOutput, type NodeDoc, type Point, splitPort } from "../document.ts";
import { equal, type Json, put, without } from "../json.ts";
import { findDefinition, isShipped, type Level } from "../level.ts";
import { changeNode, pruneDefinitions, removeItems, round, type Selection } from "./nodes.ts";

/** An edit that cannot be done, in words for people. */
export class EditError extends Error {}

/** Types of ports, as the canvas knows them. */
export interface PortTypes {
  input(ref: string): { type: string; what?: string; required?: boolean } | undefined;
  output(ref: string): { type: string; what?: string } | undefined;
  outputs?(node: string): string[];  // names of its out-ports
}

/** The definitions that nodes name, with those that these need, as seen from a level. */
export function neededDefinitions(level: Pick<Level, "scopes">, nodes: Iterable<NodeDoc>): Record<string, GraphDoc> {
  const out: Record<string, GraphDoc> = {};
  const todo = [...nodes];
  for (let n = todo.pop(); n !== undefined; n = todo.pop()) {
    if (!n.graph || n.graph in out) continue;
    const found = findDefinition(level, n.graph);
    if (!found || isShipped(found)) continue; // what comes with the program is there already
    out[n.graph] = found.graph;
    todo.push(...Object.values(found.graph.nodes ?? {}).filter((m) => m.graph && !found.graph.definitions?.[m.graph]));
  }
  return out;
}

/** Nodes become one node of a new definition; wires across the border become ports. One source that fed many is one port. */
export function group(level: Level, selection: Selection, title: string, types: PortTypes): { graph: GraphDoc; id: string; name: string } {
  const g = level.graph;
  const nodes = (selection.nodes ?? []).filter((id) => g.nodes?.[id]);
  if (nodes.length === 0) throw new EditError("choose the nodes that are to become a group");
  const inside = new Set(nodes);
  const isIn = (ref: string) => inside.has(splitPort(ref)[0]);
  const name = freshId(title || "group", { ...Object.fromEntries(level.scopes.flatMap((s) => Object.entries(s.graph.definitions ?? {}))) });
  const id = freshId(title || "group", g.nodes ?? {});

  const inner: Record<string, string> = {}, outer: Record<string, string> = {};
  const inputs: Record<string, GraphInput> = {}, outputs: Record<string, GraphOutput> = {};
  const inputOf = new Map<string, string>(), outputOf = new Map<string, string>();
  const inputFor = (source: string, to: string): string => {
    let port = inputOf.get(source);
    if (port === undefined) {
      port = freshId(splitPort(to)[1].replace(/\.\d+$/, ""), inputs);
      const type = types.input(to) ?? { type: "any" };
      inputs[port] = { type: type.type, ...(type.what ? { what: type.what } : {}), to: [] };
      inputOf.set(source, port);
    }
    inputs[port]!.to!.push(to);
    return port;
  };
  const outputFor = (from: string): string => {
    let port = outputOf.get(from);
    if (port === undefined) {
      port = freshId(splitPort(from)[1], outputs);
      const type = types.output(from) ?? { type: "any" };
      outputs[port] = { type: type.type, ...(type.what ? { what: type.what } : {}), from };
      outputOf.set(from, port);
    }
    return port;
  };

  for (const [to, from] of Object.entries(g.wires ?? {})) {
    if (isIn(to) && isIn(from)) inner[to] = from;
    else if (isIn(to)) outer[`${id}.${inputFor(from, to)}`] = from;
    else if (isIn(from)) outer[to] = `${id}.${outputFor(from)}`;
    else outer[to] = from;
  }
  const graphInputs = Object.fromEntries(Object.entries(g.inputs ?? {}).map(([key, v]) => {
    const to = v.to ?? [];
    if (!to.some(isIn)) return [key, v];
    const port = to.filter(isIn).map((t) => inputFor("input " + key, t))[0]!;
    return [key, { ...v, to: [...to.filter((t) => !isIn(t)), `${id}.${port}`] }];
  }));
  const graphOutputs = Object.fromEntries(Object.entries(g.outputs ?? {}).map(([key, v]) => [key, v.from && isIn(v.from) ? { ...v, from: `${id}.${outputFor(v.from)}` } : v]));

  // Where a chain ends its results stay in sight: what nobody reads is an output too.
  const read = new Set([...Object.values(g.wires ?? {}), ...Object.values(g.outputs ?? {}).flatMap((o) => o.from ?? [])].map((from) => splitPort(from)[0]));
  for (const n of nodes) if (!read.has(n)) for (const port of types.outputs?.(n) ?? []) outputFor(`${n}.${port}`);

  const chosen = nodes.map((n) => g.nodes![n]!);
  const at: Point = [0, 1].map((k) => chosen.reduce((sum, n) => sum + (n.at?.[k] ?? 0), 0) / chosen.length) as Point;
  let definition: GraphDoc = { title: title || "Group", nodes: Object.fromEntries(nodes.map((n) => [n, g.nodes![n]!])) };
  definition = put(definition, "wires", inner);
  definition = put(definition, "inputs", inputs);
  definition = put(definition, "outputs", outputs);
  definition = put(definition, "comments", pick(g.comments, selection.comments));
  definition = put(definition, "frames", pick(g.frames, selection.frames));
  definition = put(definition, "definitions", neededDefinitions(level, chosen));
  // What the graph shows of a grouped setting goes through the group: promoted inside, and again outside.
  const settings = Object.entries(g.settings ?? {}).map(([key, p]) => {
    const [first] = p.node.split("/");
    if (!inside.has(first!)) return [key, p] as const;
    const innerName = freshId(key, definition.settings ?? {});
    definition = { ...definition, settings: { ...definition.settings, [innerName]: p } };
    return [key, { ...p, node: id, setting: innerName }] as const;
  });

  let out: GraphDoc = { ...g, nodes: { ...without(g.nodes!, ...nodes), [id]: { graph: name, at: round(at) } } };
  out = put(out, "wires", outer);
  out = put(out, "inputs", graphInputs);
  out = put(out, "outputs", graphOutputs);
  out = put(out, "settings", Object.fromEntries(settings));
  out = removeItems(out, { comments: selection.comments, frames: selection.frames });
  out = pruneDefinitions({ ...out, definitions: { ...out.definitions, [name]: definition } });
  return { graph: out, id, name };
}

function pick<T>(map: Record<string, T> | undefined, keys: string[] = []): Record<string, T> {
  return Object.fromEntries(keys.filter((k) => map?.[k]).map((k) => [k, map![k]!]));
}

/** Brings definitions to a level under names that are free there; gives the names by their old ones. */
export function adoptDefinitions(level: Level, definitions: Record<string, GraphDoc>): { definitions: Record<string, GraphDoc>; names: Map<string, string> } {
  const names = new Map<string, string>();
  const added: Record<string, GraphDoc> = {};
  for (const [name, d] of Object.entries(definitions)) {
    const here = findDefinition(level, name)?.graph;
    if (here && equal(here, d)) names.set(name, name);
    else {
      const free = here || name in added ? freshId(name, { ...Object.fromEntries(level.scopes.flatMap((s) => Object.entries(s.graph.definitions ?? {}))), ...added, ...definitions }) : name;
      names.set(name, free);
      added[free] = d;
    }
  }
  // Adopted definitions name each other by their old names.
  for (const [key, d] of Object.entries(added)) {
    const renamed = Object.values(d.nodes ?? {}).some((n) => n.graph && !d.definitions?.[n.graph] && names.get(n.graph) !== undefined && names.get(n.graph) !== n.graph);
    if (renamed) added[key] = { ...d, nodes: Object.fromEntries(Object.entries(d.nodes!).map(([id, n]) => [id, n.graph && !d.definitions?.[n.graph] ? { ...n, graph: names.get(n.graph) ?? n.graph } : n])) };
  }
  return { definitions: added, names };
}

/** The nodes of a sub-graph take its place. */
export function ungroup(level: Level, id: string): { graph: GraphDoc; ids: string[] } {
  const g = level.graph;
  const node = g.nodes?.[id];
  const found = node?.graph ? findDefinition(level, node.graph) : undefined;
  if (!node || !found) throw new EditError("this node is not a group of this document");
  if (node.loop) throw new EditError("a zone runs its content repeatedly: take the loop away before you ungroup it");
  const d = found.graph;
  const adopted = adoptDefinitions({ ...level, scopes: level.scopes }, d.definitions ?? {});

  const ids = new Map<string, string>();
  const taken = new Set(Object.keys(without(g.nodes!, id)));
  for (const n of Object.keys(d.nodes ?? {})) {
    const fresh = freshId(n, taken);
    taken.add(fresh);
    ids.set(n, fresh);
  }
  const ref = (r: string) => `${ids.get(splitPort(r)[0])}.${splitPort(r)[1]}`;
  const centre = middle(Object.values(d.nodes ?? {}).map((n) => n.at ?? [0, 0]));
  const here = node.at ?? [0, 0];
  const shift = (at: Point = [0, 0]): Point => round([at[0] - centre[0] + here[0], at[1] - centre[1] + here[1]]);

  const nodes = { ...without(g.nodes!, id) };
  for (const [n, inner] of Object.entries(d.nodes ?? {})) {
    const moved = { ...inner, at: shift(inner.at) };
    if (inner.graph && adopted.names.has(inner.graph)) moved.graph = adopted.names.get(inner.graph)!;
    nodes[ids.get(n)!] = moved;
  }
  const wires: Record<string, string> = {};
  for (const [to, from] of Object.entries(d.wires ?? {})) wires[ref(to)] = ref(from);
  const source = (from: string) => {
    const [n, p] = splitPort(from);
    if (n !== id) return from;
    const inner = d.outputs?.[p]?.from;
    return inner === undefined ? undefined : ref(inner);
  };
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    const [n, p] = splitPort(to);
    const origin = source(from);
    if (origin === undefined) continue;
    if (n !== id) wires[to] = origin;
    else for (const inner of d.inputs?.[p]?.to ?? []) wires[ref(inner)] = origin;
  }
  const inputs = Object.fromEntries(Object.entries(g.inputs ?? {}).map(([k, v]) => [k, v.to ? { ...v, to: v.to.flatMap((t) => (splitPort(t)[0] === id ? (d.inputs?.[splitPort(t)[1]]?.to ?? []).map(ref) : [t])) } : v]));
  const outputs = Object.fromEntries(Object.entries(g.outputs ?? {}).map(([k, v]) => [k, v.from ? put(v, "from", source(v.from)) : v]));
  const settings = Object.fromEntries(Object.entries(g.settings ?? {}).map(([k, p]) => {
    const [first, ...rest] = p.node.split("/");
    if (first !== id) return [k, p];
    if (rest.length) return [k, { ...p, node: [ids.get(rest[0]!) ?? rest[0]!, ...rest.slice(1)].join("/") }];
    const inner = d.settings?.[p.setting];
    if (!inner) return [k, p];
    const [n, ...more] = inner.node.split("/");
    return [k, { ...p, node: [ids.get(n!) ?? n!, ...more].join("/"), setting: inner.setting }];
  }));

  let out: GraphDoc = { ...g, nodes };
  out = put(out, "wires", wires);
  if (g.inputs) out = { ...out, inputs };
  if (g.outputs) out = { ...out, outputs };
  if (g.settings) out = { ...out, settings };
  out = put(out, "definitions", { ...out.definitions, ...adopted.definitions });
  const spread = <T extends { at: Point }>(map: Record<string, T> = {}, mine: Record<string, T> = {}) => {
    const all = { ...mine };
    for (const [k, v] of Object.entries(map)) all[freshId(k, all)] = { ...v, at: shift(v.at) };
    return all;
  };
  out = put(out, "comments", spread(d.comments, g.comments));
  out = put(out, "frames", spread(d.frames, g.frames));
  for (const [name, value] of Object.entries(node.settings ?? {})) {
    const p = d.settings?.[name];
    if (!p) continue;
    const [n, ...deeper] = p.node.split("/");
    out = setInner(out, level, [ids.get(n!) ?? n!, ...deeper], p.setting, value);
  }
  return { graph: pruneDefinitions(out), ids: [...ids.values()] };
}

const middle = (points: Point[]): Point => {
  if (points.length === 0) return [0, 0];
  return [0, 1].map((k) => points.reduce((s, p) => s + p[k]!, 0) / points.length) as Point;
};

/** A setting of a node, or of one inside a sub-graph, which then gets a definition of its own. */
function setInner(g: GraphDoc, level: Level, path: string[], setting: string, value: Json): GraphDoc {
  const [first, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) return changeNode(g, first, (n) => ({ ...n, settings: { ...n.settings, [setting]: value } }));
  const own = makeUnique({ ...level, graph: g, scopes: [{ pointer: level.pointer, graph: g }, ...level.scopes.slice(1)] }, first);
  const name = own.nodes![first]!.graph!;
  const inner = own.definitions![name]!;
  const deeper: Level = { path: [], pointer: "", graph: inner, scopes: [{ pointer: "", graph: inner }, { pointer: "", graph: own }, ...level.scopes.slice(1)] };
  return { ...own, definitions: { ...own.definitions, [name]: setInner(inner, deeper, rest, setting, value) } };
}

/** A definition of its own for a sub-graph node that shared one. */
export function makeUnique(level: Level, id: string): GraphDoc {
  const g = level.graph;
  const name = g.nodes?.[id]?.graph;
  const found = name ? findDefinition(level, name) : undefined;
  if (!name || !found) throw new EditError("this node is not a group of this document");
  const others = Object.entries(g.nodes ?? {}).some(([n, v]) => n !== id && v.graph === name);
  if (!others && found.depth === 0) return g;
  const fresh = freshId(name, Object.fromEntries(level.scopes.flatMap((s) => Object.entries(s.graph.definitions ?? {}))));
  return { ...changeNode(g, id, (n) => ({ ...n, graph: fresh })), definitions: { ...g.definitions, [fresh]: found.graph } };
}

/** Shows a setting of a node on the outside of the graph. */
export function promote(g: GraphDoc, node: string, setting: string): { graph: GraphDoc; name: string } {
  const old = Object.entries(g.settings ?? {}).find(([, p]) => p.node === node && p.setting === setting);
  if (old) return { graph: g, name: old[0] };
  const name = freshId(setting, g.settings ?? {});
  return { graph: { ...g, settings: { ...g.settings, [name]: { node, setting } } }, name };
}
export function demote(g: GraphDoc, name: string): GraphDoc {
  return put(g, "settings", without(g.settings ?? {}, name));
}

/** Every graph of a document whose nodes may name the definition at `target`, changed where it does. */
function changeInstances(doc: GraphDoc, target: string, change: (graph: GraphDoc, instances: string[]) => GraphDoc): GraphDoc {
  const visit = (graph: GraphDoc, at: string, scopes: Level["scopes"]): GraphDoc => {
    const here = [{ pointer: at, graph }, ...scopes];
    const instances = Object.entries(graph.nodes ?? {}).filter(([, n]) => n.graph && findDefinition({ scopes: here }, n.graph)?.pointer === target).map(([id]) => id);
    let out = instances.length ? change(graph, instances) : graph;
    for (const [name, d] of Object.entries(graph.definitions ?? {})) {
      const changed = visit(d, `${at}/definitions/${name}`, here);
      if (changed !== d) out = { ...out, definitions: { ...out.definitions, [name]: changed } };
    }
    return out;
  };
  return visit(doc, "", []);
}

/** Another name for a port of a definition; the wires of all its instances follow. */
export function renameGraphPort(doc: GraphDoc, level: Level, side: "inputs" | "outputs", name: string, wish: string): GraphDoc {
  const ports = level.graph[side] ?? {};
  if (!(name in ports) || wish === name) return doc;
  const next = freshId(wish, without(ports as Record<string, unknown>, name));
  const change = (graph: GraphDoc): GraphDoc => ({ ...graph, [side]: Object.fromEntries(Object.entries(graph[side] ?? {}).map(([k, v]) => [k === name ? next : k, v])) });
  const out = replaceGraph(doc, level.pointer, change);
  if (level.pointer === "") return out;
  return changeInstances(out, level.pointer, (graph, instances) => rewireInstances(graph, instances, side, name, next));
}
/** A port of a definition goes, with the wires to it in all instances. */
export function removeGraphPort(doc: GraphDoc, level: Level, side: "inputs" | "outputs", name: string): GraphDoc {
  const out = replaceGraph(doc, level.pointer, (graph) => put(graph, side, without((graph[side] ?? {}) as Record<string, never>, name)));
  if (level.pointer === "") return out;
  return changeInstances(out, level.pointer, (graph, instances) => rewireInstances(graph, instances, side, name, undefined));
}

function rewireInstances(graph: GraphDoc, instances: string[], side: "inputs" | "outputs", name: string, next: string | undefined): GraphDoc {
  const mine = new Set(instances.map((id) => `${id}.${name}`));
  const ref = (r: string) => (mine.has(r) ? (next === undefined ? undefined : `${splitPort(r)[0]}.${next}`) : r);
  const wires: Record<string, string> = {};
  for (const [to, from] of Object.entries(graph.wires ?? {})) {
    const a = side === "inputs" ? ref(to) : to, b = side === "outputs" ? ref(from) : from;
    if (a !== undefined && b !== undefined) wires[a] = b;
  }
  let out = put(graph, "wires", wires);
  if (side === "inputs" && graph.inputs) {
    out = { ...out, inputs: Object.fromEntries(Object.entries(graph.inputs).map(([k, v]) => [k, v.to ? { ...v, to: v.to.flatMap((t) => ref(t) ?? []) } : v])) };
  }
  if (side === "outputs" && graph.outputs) {
    out = { ...out, outputs: Object.fromEntries(Object.entries(graph.outputs).map(([k, v]) => [k, v.from ? put(v, "from", ref(v.from)) : v])) };
  }
  return out;
}

function replaceGraph(doc: GraphDoc, at: string, change: (graph: GraphDoc) => GraphDoc): GraphDoc {
  if (at === "") return change(doc);
  const [, , name, ...rest] = at.split("/") as [string, string, string, ...string[]];
  const inner = doc.definitions?.[name];
  if (!inner) return doc;
  return { ...doc, definitions: { ...doc.definitions, [name]: replaceGraph(inner, rest.length ? "/" + rest.join("/") : "", change) } };
}
