// SPDX-License-Identifier: Apache-2.0
import "@xyflow/react/dist/base.css";
import "./canvas.css";
import { splitPort } from "@larmor/graph";
import { Background, BackgroundVariant, ConnectionMode, type EdgeChange, type NodeTypes, ReactFlow, ReactFlowProvider, SelectionMode, useStore, useStoreApi } from "@xyflow/react";
import { type DragEvent, type MouseEvent as ReactMouseEvent, useCallback, useRef, useState } from "react";
import * as actions from "../actions.ts";
import { openGraph, showDock, tell, useApp } from "../state/app.ts";
import { say } from "../errors.ts";
import { useCatalogue, useGraph, useLevel, useSession } from "../state/hooks.ts";
import { type Entries, Menu } from "../ui/Menu.tsx";
import { hideTooltip, showTooltip } from "../ui/Tooltip.tsx";
import { canvasEntries, nodeEntries, noteEntries, wireEntries } from "./entries.ts";
import { EndsNode } from "./EndsNode.tsx";
import { FarView } from "./FarView.tsx";
import { hoverWire, useHold } from "./hold.ts";
import { type CanvasNode, itemOf, type WireType } from "./model.ts";
import { CommentNode, FrameNode } from "./NoteNodes.tsx";
import { MiniMap } from "./MiniMap.tsx";
import OpNode from "./OpNode.tsx";
import { Overlays } from "./Overlays.tsx";
import { PortTip } from "./PortTip.tsx";
import { QuickAdd, type QuickAddAt } from "./QuickAdd.tsx";
import { useCanvasNodes } from "./useCanvasNodes.ts";
import { useStaged } from "./useStaged.ts";
import { useHandle, useView } from "./useView.ts";
import { useWiring } from "./useWiring.ts";
import { Wire } from "./Wire.tsx";

const nodeTypes = { op: OpNode, comment: CommentNode, frame: FrameNode, ends: EndsNode } as NodeTypes;
const edgeTypes = { wire: Wire };
const grid: [number, number] = [10, 10];

/** The graph that is shown, for hands. One React Flow per graph and level, so that each keeps its place. */
export function Canvas() {
  const session = useSession();
  const at = useGraph((s) => s.at);
  const key = session.id + ":" + at.join("/");
  return (
    <ReactFlowProvider key={key}>
      <Flow place={key} />
    </ReactFlowProvider>
  );
}

function Flow({ place }: { place: string }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const level = useLevel();
  const snap = useApp((s) => s.preferences.snap);
  const minimap = useApp((s) => s.preferences.minimap);
  const store = useStoreApi();
  const { nodes, edges, onNodesChange, dragStart, commit, nodesRef } = useCanvasNodes(level);
  const [menu, setMenu] = useState<{ x: number; y: number; entries: Entries } | null>(null);
  const [quick, setQuick] = useState<(QuickAddAt & { wire?: string | null }) | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const { flow, handle, pointer, first, keep } = useView(place, box, nodes, nodesRef, minimap);
  useHandle(handle, () => setQuick(handle.middle()));
  const wiring = useWiring(setQuick);
  const many = nodes.length > 120;
  const staged = useStaged(nodes, edges, useStore((s) => many && s.transform[2] < 0.34));

  // Sizes and ports are known from the document: measuring every node that scrolls into view costs frames for nothing, and
  // from afar, where no ports are drawn, it would take the wires away. Before React Flow begins to observe its nodes.
  useState(() => store.setState({ updateNodeInternals: () => undefined }));

  const onEdgesChange = useCallback((changes: EdgeChange<WireType>[]) => {
    const wires = new Set(session.state.wires);
    let changed = false;
    for (const c of changes) {
      if (c.type !== "select" || c.id.startsWith("$")) continue;
      changed = true;
      if (c.selected) wires.add(c.id);
      else wires.delete(c.id);
    }
    if (changed) session.select(session.state.selected, [...wires]);
  }, [session]);

  const probe = useCallback((node: string, port: string, side: "in" | "out") => {
    const from = side === "out" ? { path: session.pathOf(node), port } : actions.sourceOf(session, node, port);
    if (!from) return;
    session.probe(`${from.path}.${from.port}`);
    showDock("probe");
  }, [session]);

  const clicks = useCallback((event: ReactMouseEvent) => {
    const port = (event.target as Element).closest?.(".port");
    const test = port?.getAttribute("data-testid");
    const match = test && /^port-([\w-]+)-(in|out)-(.*)$/.exec(test);
    if (match) probe(match[1]!, match[3]!, match[2] as "in" | "out");
  }, [probe]);

  const wireTip = useCallback((event: ReactMouseEvent, edge: WireType) => {
    if (useHold.getState().held) return;
    const port = edge.data!.port, dot = port.lastIndexOf(".");
    const node = session.reports.get(port.slice(0, dot));
    showTooltip(event.clientX + 14, event.clientY + 14, <PortTip title={edge.data!.label} type={catalogue.typeTitle(edge.data!.type)} colour={catalogue.colour(edge.data!.type)} value={node?.outputs?.[port.slice(dot + 1)]} node={node} where={port ? { api: session.api, graph: session.id, port } : undefined} />, 400);
  }, [session, catalogue]);

  /** The wire under a node that is dragged, when the node could stand in it. */
  const wireUnder = useCallback((event: { clientX: number; clientY: number }, node: CanvasNode) => {
    if (node.type !== "op") return null;
    const a = flow.flowToScreenPosition(node.position), z = flow.getZoom();
    const w = node.width! * z, h = node.height! * z;
    for (const [x, y] of [[a.x + w / 2, a.y + h / 2], [event.clientX, event.clientY], [a.x, a.y + h / 2], [a.x + w, a.y + h / 2], [a.x + w / 2, a.y]] as const) {
      for (const e of document.elementsFromPoint(x, y)) {
        const id = e.getAttribute("data-wire");
        if (id && !id.startsWith("$") && actions.fitsWire(session, node.id, id)) return id;
      }
    }
    return null;
  }, [flow, session]);

  const drop = useCallback((event: DragEvent) => {
    event.preventDefault();
    const text = event.dataTransfer.getData("application/x-larmor");
    const file = event.dataTransfer.files[0];
    const p = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
    if (text) {
      const what = JSON.parse(text) as { op: string } | { graph: string };
      const wire = document.elementsFromPoint(event.clientX, event.clientY).map((e) => e.getAttribute("data-wire")).find((id) => id && !id.startsWith("$"));
      hoverWire(null);
      actions.add(session, what, [p.x - 90, p.y - 30], { wire });
    } else if (file) {
      file.text().then((t) => openGraph({ graph: JSON.parse(t) as never })).catch((e: unknown) => tell(say(e), "error"));
    }
  }, [flow, session]);

  const open = useCallback((event: ReactMouseEvent | MouseEvent, entries: Entries) => {
    event.preventDefault();
    hideTooltip();
    setMenu({ x: event.clientX, y: event.clientY, entries });
  }, []);

  const empty = nodes.length === 0;
  return (
    <div
      className="canvas"
      ref={box}
      data-testid="canvas"
      onPointerMove={(e) => (pointer.current = { x: e.clientX, y: e.clientY })}
      onPointerLeave={() => (pointer.current = null)}
      onClick={clicks}
      onDragOver={(e) => {
        e.preventDefault();
        e.dataTransfer.dropEffect = "copy";
        hoverWire(document.elementsFromPoint(e.clientX, e.clientY).map((x) => x.getAttribute("data-wire")).find((id) => id && !id.startsWith("$")) ?? null);
      }}
      onDragLeave={() => hoverWire(null)}
      onDrop={drop}
      onDoubleClick={(e) => (e.target as Element).classList.contains("react-flow__pane") && setQuick({ x: e.clientX, y: e.clientY })}
    >
      <ReactFlow<CanvasNode, WireType>
        nodes={staged.nodes}
        edges={staged.edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        onNodesChange={onNodesChange}
        onEdgesChange={onEdgesChange}
        {...wiring}
        onNodeDragStart={(_, node, all) => {
          hideTooltip();
          dragStart(all.length ? all : [node]);
        }}
        onNodeDrag={(event, node, all) => hoverWire(all.length <= 1 && "clientX" in event ? wireUnder(event, node) : null)}
        onNodeDragStop={(_, node) => {
          const wire = useHold.getState().wire;
          hoverWire(null);
          commit(wire ? () => actions.insertInto(session, node.id, wire) : undefined);
        }}
        onSelectionDragStart={(_, all) => dragStart(all)}
        onSelectionDragStop={() => commit()}
        onNodeClick={(e, node) => {
          // A click on one of several chooses it alone; a drag moves them all.
          const item = itemOf(node.id);
          const { nodes: n, comments: c, frames: f } = session.state.selected;
          if (item.kind !== "ends" && !e.shiftKey && !e.ctrlKey && !e.metaKey && n.length + c.length + f.length > 1) session.select({ [item.kind]: [item.id] });
        }}
        onNodeDoubleClick={(_, node) => node.type === "op" && actions.enterNode(session, node.id)}
        onNodeContextMenu={(e, node) => {
          const item = itemOf(node.id);
          if (item.kind === "ends") return e.preventDefault();
          if (!node.selected) session.select({ [item.kind]: [item.id] });
          open(e, item.kind === "nodes" ? nodeEntries(session, item.id) : noteEntries(session, item.kind));
        }}
        onSelectionContextMenu={(e) => open(e, nodeEntries(session, session.state.selected.nodes[0] ?? ""))}
        onEdgeClick={(e, edge) => edge.data!.port && !e.shiftKey && probe(splitPort(edge.data!.port)[0].split("/").at(-1)!, edge.sourceHandle!, "out")}
        onEdgeContextMenu={(e, edge) => open(e, wireEntries(session, edge.id, edge.data!.port))}
        onEdgeMouseEnter={wireTip}
        onEdgeMouseLeave={hideTooltip}
        onPaneContextMenu={(e) => open(e, canvasEntries(session, () => setQuick({ x: e.clientX, y: e.clientY })))}
        onPaneClick={() => session.state.wires.length && session.select({})}
        onMove={hideTooltip}
        onMoveEnd={(_, v) => keep(v)}
        defaultViewport={first}
        minZoom={0.04}
        maxZoom={2.5}
        connectionMode={ConnectionMode.Strict}
        connectOnClick={false}
        connectionRadius={26}
        reconnectRadius={10}
        snapToGrid={snap}
        snapGrid={grid}
        selectionMode={SelectionMode.Partial}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={["Shift", "Control", "Meta"]}
        panActivationKeyCode="Space"
        panOnDrag={[0, 1]}
        deleteKeyCode={null}
        disableKeyboardA11y
        zoomOnDoubleClick={false}
        onlyRenderVisibleElements
        elevateNodesOnSelect={false}
        nodeDragThreshold={2}
        proOptions={{ hideAttribution: true }}
      >
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.4} color="var(--dots)" />
        <Overlays />
      </ReactFlow>
      {staged.painted && <FarView nodes={nodes} edges={edges} />}
      {minimap && !empty && <MiniMap nodes={nodes} />}
      {empty && (
        <div className="canvas-empty">
          <strong>An empty graph</strong>
          <span>Drag an operation from the palette, or press <kbd>Tab</kbd> to search.</span>
          <span>Press <kbd>?</kbd> for all keys.</span>
        </div>
      )}
      {menu && <Menu {...menu} onClose={() => setMenu(null)} />}
      {quick && (
        <QuickAdd
          at={quick}
          onClose={() => setQuick(null)}
          onPick={(what, port) => {
            const p = flow.screenToFlowPosition({ x: quick.x, y: quick.y });
            const h = quick.held;
            actions.add(session, what, h?.side === "in" ? [p.x - 190, p.y - 60] : [p.x, p.y - 60], { free: true, attach: h && port ? { node: h.node, port: h.port, side: h.side, to: port.name } : undefined });
            setQuick(null);
          }}
        />
      )}
    </div>
  );
}
