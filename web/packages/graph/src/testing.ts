// SPDX-License-Identifier: Apache-2.0
// A small catalogue and document for the tests of this package.
import { Catalogue, type OpInfo, type PortInfo, type SettingInfo } from "./catalogue.ts";
import { type GraphDoc, splitPort } from "./document.ts";
import { findDefinition } from "./level.ts";

const port = (name: string, type: string, more: Partial<PortInfo> = {}): PortInfo => ({ name, type, required: true, ...more });
const op = (id: string, inputs: PortInfo[], outputs: PortInfo[], settings: SettingInfo[] = []): OpInfo => ({ id, title: id.split(".")[1]!, inputs, outputs, settings });

export const catalogue = new Catalogue({
  types: { any: { title: "Anything" }, array: { title: "Array", colour: "#345" }, image: { title: "Image", parent: "array" }, number: { title: "Number" }, numbers: { title: "Numbers" }, text: { title: "Text", colour: "#999" } },
  ops: [
    op("io.read", [], [port("image", "image")], [{ name: "path", kind: "file_open", default: "" }]),
    op("math.add", [port("a", "array"), port("b", "array")], [port("out", "array")], [{ name: "scale", kind: "number", default: 1, lower: 0, upper: 10 }]),
    op("math.blur", [port("in", "image")], [port("out", "image")], [{ name: "sigma", kind: "number", default: 1, lower: 0.001, upper: 10, unit: "mm" }]),
    op("array.cat", [port("in", "array", { repeated: true })], [port("out", "array")]),
    op("text.show", [port("text", "text")], []),
  ],
});

/** read -> blur -> add -> cat.in.1, read -> add.b, read -> cat.in.2 */
export const small = (): GraphDoc => ({
  larmor: 1,
  nodes: {
    read: { op: "io.read", at: [0, 0], settings: { path: "a.nii" } },
    blur: { op: "math.blur", at: [200, 0] },
    add: { op: "math.add", at: [400, 0], settings: { scale: 2 } },
    cat: { op: "array.cat", at: [600, 0] },
  },
  wires: { "blur.in": "read.image", "add.a": "blur.out", "add.b": "read.image", "cat.in.1": "add.out", "cat.in.2": "read.image" },
});

/** Everything that must hold in any document, as a list of what does not. */
export function faults(g: GraphDoc, scopes: GraphDoc[] = []): string[] {
  const out: string[] = [];
  const here = [g, ...scopes];
  const has = (ref: string) => splitPort(ref)[0] in (g.nodes ?? {});
  for (const id of Object.keys(g.nodes ?? {})) if (!/^[A-Za-z0-9_-]+$/.test(id)) out.push(`id '${id}'`);
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    if (!has(to)) out.push(`wire into nothing: ${to}`);
    if (!has(from)) out.push(`wire out of nothing: ${from}`);
  }
  for (const [k, v] of Object.entries(g.inputs ?? {})) for (const t of v.to ?? []) {
    if (!has(t)) out.push(`input ${k} feeds nothing: ${t}`);
    if (g.wires?.[t]) out.push(`${t} has a wire and an input`);
  }
  for (const [k, v] of Object.entries(g.outputs ?? {})) if (v.from && !has(v.from)) out.push(`output ${k} shows nothing: ${v.from}`);
  for (const n of Object.values(g.nodes ?? {})) {
    if (n.graph && !findDefinition({ scopes: here.map((graph) => ({ pointer: "", graph })) }, n.graph)) out.push(`no definition '${n.graph}'`);
  }
  for (const d of Object.values(g.definitions ?? {})) out.push(...faults(d, here));
  return out;
}

/** What the graph computes, free of names: every node's operation and settings with what feeds it, through groups. */
export function meaning(g: GraphDoc): string[] {
  type Feed = () => string;
  const out: string[] = [];
  const visit = (graph: GraphDoc, scopes: GraphDoc[], inputs: Record<string, Feed>, given: Record<string, unknown>): Record<string, Feed> => {
    const here = [graph, ...scopes];
    const feeds = new Map<string, Feed>();
    const outs = new Map<string, Feed>();
    const feedOf = (ref: string): Feed => () => outs.get(ref)?.() ?? "nothing";
    for (const [to, from] of Object.entries(graph.wires ?? {})) feeds.set(to, feedOf(from));
    for (const [name, p] of Object.entries(graph.inputs ?? {})) for (const t of p.to ?? []) feeds.set(t, inputs[name] ?? (() => `input ${name}`));
    const todo: (() => void)[] = [];
    for (const [id, node] of Object.entries(graph.nodes ?? {})) {
      const mine = [...feeds].filter(([to]) => splitPort(to)[0] === id).map(([to, f]) => [splitPort(to)[1], f] as const);
      const settings: Record<string, unknown> = { ...node.settings };
      for (const [name, p] of Object.entries(graph.settings ?? {})) if (p.node === id && given[name] !== undefined) settings[p.setting] = given[name];
      if (node.op) {
        const describe = () => `${node.op}${JSON.stringify(settings)}(${mine.map(([p, f]) => `${p}=${f()}`).sort().join(",")})`;
        for (const p of catalogue.ops.get(node.op)?.outputs ?? []) outs.set(`${id}.${p.name}`, () => `${describe()}.${p.name}`);
        todo.push(() => out.push(describe()));
      } else {
        const d = findDefinition({ scopes: here.map((x) => ({ pointer: "", graph: x })) }, node.graph!)!.graph;
        const inner = visit(d, here, Object.fromEntries(mine), settings);
        for (const [name, f] of Object.entries(inner)) outs.set(`${id}.${name}`, f);
      }
    }
    lazy.push(...todo);
    return Object.fromEntries(Object.entries(graph.outputs ?? {}).map(([k, v]) => [k, v.from ? feedOf(v.from) : () => "nothing"]));
  };
  const lazy: (() => void)[] = [];
  const outputs = visit(g, [], {}, {});
  for (const f of lazy) f();
  for (const [k, f] of Object.entries(outputs)) out.push(`output ${k}: ${f()}`);
  return out.sort();
}
