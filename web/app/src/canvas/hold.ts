// SPDX-License-Identifier: Apache-2.0
import { type Catalogue, downstream, type GraphDoc, type Held, type PortInfo, refusal, upstream } from "@larmor/graph";
import { create } from "zustand";

interface HoldState {
  held: (Held & { circle: Set<string>; graph: GraphDoc }) | null;
  wire: string | null;  // under a node that is dragged
}
/** What the hand holds on the canvas: a wire's end, or a node above a wire. */
export const useHold = create<HoldState>(() => ({ held: null, wire: null }));

export function hold(graph: GraphDoc, held: Held) {
  // The nodes with which a wire would close a circle are found once, not for every port.
  const circle = held.side === "out" ? upstream(graph, [held.node]) : downstream(graph, [held.node]);
  circle.delete(held.node);
  useHold.setState({ held: { ...held, circle, graph } });
}
export const release = () => useHold.setState({ held: null });
export const hoverWire = (wire: string | null) => {
  if (useHold.getState().wire !== wire) useHold.setState({ wire });
};

/** Why the held wire cannot end at a port; empty: it can. */
export function whyNot(catalogue: Catalogue, held: NonNullable<HoldState["held"]>, node: string, port: PortInfo, side: "in" | "out"): string {
  if (held.circle.has(node) && held.side !== side) return "this would close a circle; rounds need a zone (a group with a loop)";
  return refusal({}, catalogue, held, { node, port, side });
}
