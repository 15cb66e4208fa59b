// SPDX-License-Identifier: Apache-2.0
import { connect, connectInput, connectOutput, disconnect, type Held, nodeView, rewire } from "@larmor/graph";
import type { Connection, FinalConnectionState, HandleType, IsValidConnection, OnConnectStartParams } from "@xyflow/react";
import { useCallback, useMemo, useRef } from "react";
import { useApp } from "../state/app.ts";
import { useCatalogue, useSession } from "../state/hooks.ts";
import { hideTooltip } from "../ui/Tooltip.tsx";
import { hold, release, useHold, whyNot } from "./hold.ts";
import { endsIn, endsOut, freeEnd, itemOf, type WireType } from "./model.ts";
import type { QuickAddAt } from "./QuickAdd.tsx";

/** What hands do with wires: pull, connect, move, cut, and let go over nothing. */
export function useWiring(inTheVoid: (at: QuickAddAt) => void) {
  const session = useSession();
  const catalogue = useCatalogue();
  const reconnected = useRef(true);

  const typeOf = useCallback((node: string, port: string, side: "in" | "out") => {
    if (node === endsIn) return session.level.graph.inputs?.[port]?.type ?? "any";
    if (node === endsOut) return session.level.graph.outputs?.[port]?.type ?? "any";
    const view = nodeView(session.level, node, useApp.getState().catalogue);
    return (side === "in" ? view.inputs : view.outputs).find((p) => p.name === port)?.type ?? "any";
  }, [session]);

  const take = useCallback((node: string, port: string, side: "in" | "out") => {
    const held: Held = { node, port, side, type: typeOf(node, port, side) };
    hold(session.level.graph, held);
  }, [session, typeOf]);

  const join = useCallback((c: Connection, old?: WireType) => {
    const { source, sourceHandle, target, targetHandle } = c;
    if (!sourceHandle || !targetHandle) return;
    const from = `${source}.${sourceHandle}`, to = `${target}.${targetHandle}`;
    session.edit(old ? "move wire" : "connect", (g) => {
      let out = g;
      if (source === endsIn) {
        if (old) out = disconnect(out, old.id);
        return connectInput(out, sourceHandle === freeEnd ? null : sourceHandle, to, typeOf(target, targetHandle, "in")).graph;
      }
      if (target === endsOut) return connectOutput(out, targetHandle === freeEnd ? null : targetHandle, from, typeOf(source, sourceHandle, "out")).graph;
      return old && !old.id.startsWith("$") ? rewire(out, old.id, from, to) : connect(out, from, to);
    });
  }, [session, typeOf]);

  const isValidConnection = useCallback<IsValidConnection<WireType>>((c) => {
    const { source, target, sourceHandle, targetHandle } = c;
    if (!sourceHandle || !targetHandle || source === target) return false;
    if (source === endsIn) return target !== endsOut;
    if (target === endsOut) return true;
    const held = useHold.getState().held;
    if (!held) return catalogue.accepts(typeOf(target, targetHandle, "in"), typeOf(source, sourceHandle, "out"));
    const other = held.side === "out" ? { node: target, port: targetHandle, side: "in" as const } : { node: source, port: sourceHandle, side: "out" as const };
    return whyNot(catalogue, held, other.node, { name: other.port, type: typeOf(other.node, other.port, other.side) }, other.side) === "";
  }, [catalogue, typeOf]);

  return useMemo(() => ({
    isValidConnection,
    onConnect: (c: Connection) => join(c),
    onConnectStart: (_: unknown, p: OnConnectStartParams) => {
      hideTooltip();
      if (p.nodeId && p.handleId) take(p.nodeId, p.handleId, p.handleType === "source" ? "out" : "in");
    },
    onConnectEnd: (event: MouseEvent | TouchEvent, state: FinalConnectionState) => {
      const held = useHold.getState().held;
      release();
      hideTooltip();
      if (!held || state.toHandle || state.isValid || itemOf(held.node).kind === "ends") return;
      const p = "changedTouches" in event ? event.changedTouches[0]! : event;
      if (!(event.target as Element | null)?.closest?.(".react-flow__pane")) return;
      inTheVoid({ x: p.clientX, y: p.clientY, held });
    },
    onReconnectStart: (_: unknown, edge: WireType, kept: HandleType) => {
      reconnected.current = false;
      if (kept === "source") take(edge.source, edge.sourceHandle!, "out");
      else take(edge.target, edge.targetHandle!, "in");
    },
    onReconnect: (edge: WireType, c: Connection) => {
      reconnected.current = true;
      join(c, edge);
    },
    onReconnectEnd: (_: unknown, edge: WireType, __: HandleType, state: FinalConnectionState) => {
      release();
      if (!reconnected.current && !state.toHandle) session.edit("cut wire", (g) => (edge.id.startsWith(endsOut) ? { ...g, outputs: { ...g.outputs, [edge.targetHandle!]: { ...g.outputs![edge.targetHandle!]!, from: undefined } } } : disconnect(g, edge.id)));
      reconnected.current = true;
    },
  }), [session, isValidConnection, join, take, inTheVoid]);
}
