// SPDX-License-Identifier: Apache-2.0
import { freshId, type GraphDoc, type GraphInput, splitPort } from "../document.ts";
import { put, without } from "../json.ts";
import { compactRepeated } from "./nodes.ts";

/** Takes an in-port away from the graph inputs that feed it. */
function unfeed(g: GraphDoc, to: string): GraphDoc {
  if (!Object.values(g.inputs ?? {}).some((i) => i.to?.includes(to))) return g;
  return { ...g, inputs: Object.fromEntries(Object.entries(g.inputs!).map(([k, v]) => [k, v.to?.includes(to) ? put(v, "to", v.to.filter((t) => t !== to)) : v])) };
}

/** A wire from an out-port to an in-port; the in-port's former wire goes. */
export function connect(g: GraphDoc, from: string, to: string): GraphDoc {
  if (g.wires?.[to] === from) return g;
  const out = unfeed(g, to);
  return { ...out, wires: { ...out.wires, [to]: from } };
}

/** Cuts the wires of in-ports; repeated ports close up. */
export function disconnect(g: GraphDoc, ...to: string[]): GraphDoc {
  const cut = to.filter((t) => g.wires && t in g.wires);
  const fed = to.filter((t) => Object.values(g.inputs ?? {}).some((i) => i.to?.includes(t)));
  if (!cut.length && !fed.length) return g;
  let out = cut.length ? put(g, "wires", without(g.wires!, ...cut)) : g;
  for (const t of fed) out = unfeed(out, t);
  return compactRepeated(out, [...cut, ...fed]);
}

/** Takes a wire's end to another in-port. */
export function rewire(g: GraphDoc, oldTo: string, from: string, to: string): GraphDoc {
  if (oldTo === to) return connect(g, from, to);
  // The old end is cut last: closing up of numbers must not move the new one.
  const wires = { ...without(g.wires ?? {}, oldTo), [to]: from };
  return compactRepeated({ ...unfeed(g, to), wires }, [oldTo]);
}

/** Puts a node into a wire: what fed `to` now feeds the node's `input`, and its `output` feeds `to`. */
export function insertOnWire(g: GraphDoc, to: string, id: string, input: string, output: string): GraphDoc {
  const from = g.wires?.[to];
  if (from === undefined) return g;
  return connect(connect(g, from, `${id}.${input}`), `${id}.${output}`, to);
}

/** The node's wires go; where one input fed one output of a fitting kind, its neighbours are joined again. */
export function bridge(g: GraphDoc, id: string, input: string, output: string): GraphDoc {
  const from = g.wires?.[`${id}.${input}`];
  if (from === undefined) return g;
  let out = g;
  for (const [to, source] of Object.entries(g.wires ?? {})) if (source === `${id}.${output}`) out = connect(out, from, to);
  return out;
}

/** True when a wire between the two nodes would close a circle. */
export function wouldCycle(g: GraphDoc, fromNode: string, toNode: string): boolean {
  if (fromNode === toNode) return true;
  const sources = new Map<string, string[]>();
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    const [t] = splitPort(to), [f] = splitPort(from);
    const list = sources.get(t);
    if (list) list.push(f);
    else sources.set(t, [f]);
  }
  const seen = new Set<string>(), todo = [fromNode];
  for (let n = todo.pop(); n !== undefined; n = todo.pop()) {
    if (n === toNode) return true;
    if (seen.has(n)) continue;
    seen.add(n);
    todo.push(...(sources.get(n) ?? []));
  }
  return false;
}

/** Everything that the nodes need, themselves included. */
export function upstream(g: GraphDoc, nodes: string[]): Set<string> {
  return reach(g, nodes, (to, from) => [splitPort(to)[0], splitPort(from)[0]]);
}
/** Everything that depends on the nodes, themselves included. */
export function downstream(g: GraphDoc, nodes: string[]): Set<string> {
  return reach(g, nodes, (to, from) => [splitPort(from)[0], splitPort(to)[0]]);
}
function reach(g: GraphDoc, nodes: string[], step: (to: string, from: string) => [string, string]): Set<string> {
  const next = new Map<string, string[]>();
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    const [a, b] = step(to, from);
    const list = next.get(a);
    if (list) list.push(b);
    else next.set(a, [b]);
  }
  const seen = new Set<string>(nodes), todo = [...nodes];
  for (let n = todo.pop(); n !== undefined; n = todo.pop()) {
    for (const m of next.get(n) ?? []) {
      if (!seen.has(m)) {
        seen.add(m);
        todo.push(m);
      }
    }
  }
  return seen;
}

/** An input of the graph that feeds an in-port; a new one when no name is given. */
export function connectInput(g: GraphDoc, name: string | null, to: string, type: string, what = ""): { graph: GraphDoc; name: string } {
  const key = name ?? freshId(splitPort(to)[1].replace(/\.\d+$/, ""), g.inputs ?? {});
  let out = unfeed(g.wires && to in g.wires ? put(g, "wires", without(g.wires, to)) : g, to);
  const old: GraphInput = out.inputs?.[key] ?? (what ? { type, what } : { type });
  out = { ...out, inputs: { ...out.inputs, [key]: { ...old, to: [...(old.to ?? []), to] } } };
  return { graph: out, name: key };
}
/** An output of the graph that shows an out-port; a new one when no name is given. */
export function connectOutput(g: GraphDoc, name: string | null, from: string, type: string, what = ""): { graph: GraphDoc; name: string } {
  const key = name ?? freshId(splitPort(from)[1], g.outputs ?? {});
  const old = g.outputs?.[key] ?? (what ? { type, what } : { type });
  return { graph: { ...g, outputs: { ...g.outputs, [key]: { ...old, type, from } } }, name: key };
}
