// SPDX-License-Identifier: Apache-2.0
import type { Catalogue, OpInfo, PortInfo, SettingInfo } from "./catalogue.ts";
import { type GraphDoc, type GraphInput, type GraphOutput, type NodeDoc, type Promoted, splitPort } from "./document.ts";
import { findDefinition, type Level } from "./level.ts";

export interface PortView extends PortInfo {
  base: string;      // the name in the description; differs for repeated ports
  setting?: boolean; // a setting that is a port
}

/** A node as it is drawn: its description from the catalogue or its definition, and its ports as they are now. */
export interface NodeView {
  kind: "op" | "graph" | "broken";
  title: string;
  op?: OpInfo;
  does?: string;
  inputs: PortView[];
  outputs: PortView[];
  settings: SettingInfo[];
  problem?: string;
  enterable: boolean;
}

const settingType: Record<string, string> = { number: "number", integer: "number", boolean: "boolean", numbers: "numbers" };
/** The type that a setting has as a port. */
export const portTypeOf = (setting: SettingInfo) => settingType[setting.kind] ?? "text";

interface Ends {
  inputs: GraphDoc["inputs"];
  outputs: GraphDoc["outputs"];
  keys: Map<string, string>;
  fed: Map<string, string[]>;   // node -> in-ports that a wire or an input of the graph feeds
  used: Map<string, string[]>;  // node -> out-ports that something takes
}
const noWires = {};
const endsOf = new WeakMap<object, Ends>();
/** All ends of wires by node, found once for a set of wires: edits of settings and places leave them as they are. */
function ends(graph: GraphDoc): Ends {
  const old = endsOf.get(graph.wires ?? noWires);
  if (old && old.inputs === graph.inputs && old.outputs === graph.outputs) return old;
  const made: Ends = { inputs: graph.inputs, outputs: graph.outputs, fed: new Map(), used: new Map(), keys: new Map() };
  const note = (map: Map<string, string[]>, ref: string) => {
    const [n, p] = splitPort(ref);
    const list = map.get(n);
    if (list) list.push(p);
    else map.set(n, [p]);
  };
  for (const [to, from] of Object.entries(graph.wires ?? {})) {
    note(made.fed, to);
    note(made.used, from);
  }
  for (const i of Object.values(graph.inputs ?? {})) for (const to of i.to ?? []) note(made.fed, to);
  for (const o of Object.values(graph.outputs ?? {})) if (o.from) note(made.used, o.from);
  endsOf.set(graph.wires ?? noWires, made);
  return made;
}

/** Highest number wired to a repeated port of a node. */
function wiredCounts(graph: GraphDoc, id: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const port of ends(graph).fed.get(id) ?? []) {
    const match = /^(.*)\.(\d+)$/.exec(port);
    if (match) counts.set(match[1]!, Math.max(counts.get(match[1]!) ?? 0, Number(match[2])));
  }
  return counts;
}

function expand(ports: PortInfo[], counts: Map<string, number>): PortView[] {
  const out: PortView[] = [];
  for (const p of ports) {
    if (!p.repeated) out.push({ ...p, base: p.name });
    else for (let n = 1; n <= (counts.get(p.name) ?? 0) + 1; n++) out.push({ ...p, name: `${p.name}.${n}`, base: p.name, required: p.required !== false && n === 1 });
  }
  return out;
}

/** The description of a promoted setting: that of the inner one, under its outer name. */
function promotedSettings(level: Pick<Level, "scopes">, graph: GraphDoc, settings: Record<string, Promoted>, catalogue: Catalogue, depth = 0): SettingInfo[] {
  const out: SettingInfo[] = [];
  for (const [name, p] of Object.entries(settings)) {
    const found = innerSetting({ scopes: [{ pointer: "", graph }, ...level.scopes] }, graph, p.node.split("/"), p.setting, catalogue, depth);
    if (found) out.push({ ...found, name, what: p.what || p.title || found.what });
  }
  return out;
}

function innerSetting(level: Pick<Level, "scopes">, graph: GraphDoc, path: string[], setting: string, catalogue: Catalogue, depth: number): SettingInfo | undefined {
  const [first, ...rest] = path;
  const node = first === undefined ? undefined : graph.nodes?.[first];
  if (!node || depth > 20) return undefined;
  if (node.op) {
    const info = catalogue.ops.get(node.op)?.settings.find((s) => s.name === setting);
    return info && { ...info, default: node.settings?.[setting] ?? info.default };
  }
  const definition = node.graph ? findDefinition(level, node.graph) : undefined;
  if (!definition) return undefined;
  if (rest.length) return innerSetting({ scopes: [definition, ...level.scopes] }, definition.graph, rest, setting, catalogue, depth + 1);
  return promotedSettings(level, definition.graph, definition.graph.settings ?? {}, catalogue, depth + 1).find((s) => s.name === setting);
}

const inputsOf = (inputs: Record<string, GraphInput> = {}): PortInfo[] =>
  Object.entries(inputs).map(([name, p]) => ({ name, what: p.what, type: p.type, required: p.required !== false }));
const outputsOf = (outputs: Record<string, GraphOutput> = {}): PortInfo[] =>
  Object.entries(outputs).map(([name, p]) => ({ name, what: p.what, type: p.type }));

/** An operation or graph that nobody knows keeps the ports that wires speak of, so that nothing is lost. */
function broken(id: string, node: NodeDoc, graph: GraphDoc, problem: string): NodeView {
  const inputs = new Set(ends(graph).fed.get(id)), outputs = new Set(ends(graph).used.get(id));
  const port = (name: string): PortView => ({ name, base: name, type: "any", required: false });
  return { kind: "broken", title: node.title || node.op || node.graph || id, inputs: [...inputs].map(port), outputs: [...outputs].map(port), settings: [], problem, enterable: false };
}

export function nodeView(level: Level, id: string, catalogue: Catalogue): NodeView {
  const node = level.graph.nodes?.[id] ?? {};
  const counts = wiredCounts(level.graph, id);
  let inputs: PortInfo[], outputs: PortInfo[], settings: SettingInfo[], view: Pick<NodeView, "kind" | "title" | "does" | "op" | "enterable">;
  if (node.op) {
    const op = catalogue.ops.get(node.op);
    if (!op) return broken(id, node, level.graph, `no operation called '${node.op}'`);
    ({ inputs, outputs, settings } = op);
    view = { kind: "op", title: node.title || op.title, does: op.does, op, enterable: false };
  } else {
    const name = node.graph ?? "";
    const definition = findDefinition(level, name);
    if (definition) {
      inputs = inputsOf(definition.graph.inputs);
      outputs = outputsOf(definition.graph.outputs);
      settings = promotedSettings(level, definition.graph, definition.graph.settings ?? {}, catalogue);
      view = { kind: "graph", title: node.title || definition.graph.title || name, does: definition.graph.about, enterable: true };
    } else return broken(id, node, level.graph, `no graph called '${name}'`);
  }
  const ports: PortView[] = (node.ports ?? []).flatMap((name) => {
    const s = settings.find((t) => t.name === name);
    return s ? [{ name, base: name, what: s.what, type: portTypeOf(s), required: false, setting: true }] : [];
  });
  const known = new Set([...inputs, ...ports].map((p) => p.name));
  const stray = (ends(level.graph).fed.get(id) ?? [])
    .filter((p) => !known.has(p) && !inputs.some((q) => q.repeated && p.startsWith(q.name + ".")))
    .map((name): PortView => ({ name, base: name, type: "any", required: false, what: "a port that this operation does not have" }));
  return { ...view, settings, inputs: [...expand(inputs, counts), ...ports, ...stray], outputs: outputs.map((p) => ({ ...p, base: p.name })) };
}

/** What the ports of a node depend on besides its description: views with the same key and node are the same. */
export function portsKey(graph: GraphDoc, id: string): string {
  const e = ends(graph);
  let key = e.keys.get(id);
  if (key === undefined) e.keys.set(id, (key = (e.fed.get(id) ?? []).join(" ") + "|" + (e.used.get(id) ?? []).join(" ")));
  return key;
}
