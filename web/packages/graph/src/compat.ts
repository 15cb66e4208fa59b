// SPDX-License-Identifier: Apache-2.0
import type { Catalogue, OpInfo, PortInfo } from "./catalogue.ts";
import { type GraphDoc, splitPort } from "./document.ts";
import { wouldCycle } from "./edits/wires.ts";
import type { NodeView, PortView } from "./node_view.ts";

/** One end of a wire that a hand holds. */
export interface Held {
  node: string;
  port: string;
  side: "in" | "out";
  type: string;
}

/** Why the held wire cannot end here; empty when it can. */
export function refusal(g: GraphDoc, catalogue: Catalogue, held: Held, target: { node: string; port: PortInfo; side: "in" | "out" }): string {
  if (held.side === target.side) return held.side === "out" ? "a wire ends at an in-port" : "a wire begins at an out-port";
  if (held.node === target.node) return "a node cannot feed itself";
  const [from, to] = held.side === "out" ? [held.node, target.node] : [target.node, held.node];
  const why = held.side === "out" ? catalogue.refusal(target.port.type, held.type) : catalogue.refusal(held.type, target.port.type);
  if (why) return why;
  return wouldCycle(g, from, to) ? "this would close a circle; rounds need a zone (a group with a loop)" : "";
}

export interface Offer {
  op: OpInfo;
  port: PortInfo;  // where the wire would end
  exact: boolean;
}

/** Operations that could take the held wire, exact types first, those of the user before others, with the port that would. */
export function offers(catalogue: Catalogue, held: Pick<Held, "side" | "type">): Offer[] {
  const out: Offer[] = [];
  for (const op of catalogue.ops.values()) {
    const ports = held.side === "out" ? op.inputs : op.outputs;
    const fits = (p: PortInfo) => (held.side === "out" ? catalogue.accepts(p.type, held.type) : catalogue.accepts(held.type, p.type));
    const exact = ports.find((p) => p.type === held.type);
    const port = exact ?? ports.find((p) => fits(p) && p.type !== "any") ?? ports.find(fits);
    if (port) out.push({ op, port, exact: port === exact });
  }
  return out.sort((a, b) => Number(b.exact) - Number(a.exact) || Number(b.op.user ?? false) - Number(a.op.user ?? false) || a.op.title.localeCompare(b.op.title));
}

/** The ports with which a node could stand in a wire; required and unconnected ones first. */
export function portsForWire(catalogue: Catalogue, g: GraphDoc, id: string, view: NodeView, source: string, target: string): { input: string; output: string } | null {
  const free = (p: PortView) => !g.wires?.[`${id}.${p.name}`];
  const input = view.inputs.filter((p) => !p.setting && free(p)).find((p) => catalogue.accepts(p.type, source));
  const output = view.outputs.find((p) => catalogue.accepts(target, p.type));
  return input && output ? { input: input.name, output: output.name } : null;
}

/** The inputs and output through which a node hands on when it is taken away. */
export function portsForBridge(catalogue: Catalogue, g: GraphDoc, id: string, view: NodeView): { input: string; output: string } | null {
  for (const output of view.outputs) {
    if (!Object.values(g.wires ?? {}).includes(`${id}.${output.name}`)) continue;
    for (const input of view.inputs) {
      if (!g.wires?.[`${id}.${input.name}`] || !catalogue.accepts(output.type, input.type)) continue;
      return { input: input.name, output: output.name };
    }
  }
  return null;
}

/** All wires at a node, as the in-ports that they end at. */
export function wiresAt(g: GraphDoc, id: string): { into: string[]; outOf: string[] } {
  const into: string[] = [], outOf: string[] = [];
  for (const [to, from] of Object.entries(g.wires ?? {})) {
    if (splitPort(to)[0] === id) into.push(to);
    if (splitPort(from)[0] === id) outOf.push(to);
  }
  return { into, outOf };
}
