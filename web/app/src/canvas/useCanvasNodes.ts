// SPDX-License-Identifier: Apache-2.0
import { geometry, type Level, moveItems, type Moves, type Point } from "@larmor/graph";
import type { NodeChange } from "@xyflow/react";
import { useCallback, useMemo, useRef, useState } from "react";
import { useApp } from "../state/app.ts";
import { useCatalogue, useGraph, useSession } from "../state/hooks.ts";
import { nothing } from "../state/session.ts";
import { CanvasModel, type CanvasNode, commentId, frameId, itemOf, rectOf } from "./model.ts";

interface Overlay {
  x?: number;
  y?: number;
  w?: number;
  h?: number;
}

/** The nodes that React Flow draws: the document's, with what is chosen and where a drag has taken them so far. */
export function useCanvasNodes(level: Level) {
  const session = useSession();
  const catalogue = useCatalogue();
  const thumbnails = useApp((s) => s.preferences.thumbnails);
  const selected = useGraph((s) => s.selected);
  const wires = useGraph((s) => s.wires);
  const model = useMemo(() => new CanvasModel(), [session]);  // eslint-disable-line react-hooks/exhaustive-deps
  const base = useMemo(() => model.build(level, catalogue, thumbnails), [model, level, catalogue, thumbnails]);
  const edges = useMemo(() => model.edges(level, catalogue, wires), [model, level, catalogue, wires, base]);  // eslint-disable-line react-hooks/exhaustive-deps
  const [overlay, setOverlay] = useState<ReadonlyMap<string, Overlay>>(new Map());

  // Variants are kept as long as their originals, so an unchanged node is the same object from render to render.
  const variants = useRef(new WeakMap<CanvasNode, CanvasNode>());
  const nodes = useMemo(() => {
    const chosen = new Set([...selected.nodes, ...selected.comments.map(commentId), ...selected.frames.map(frameId)]);
    return base.map((node): CanvasNode => {
      const o = overlay.get(node.id);
      if (o) {
        const w = o.w ?? node.width!, h = o.h ?? node.height!;
        return { ...node, position: { x: o.x ?? node.position.x, y: o.y ?? node.position.y }, width: w, height: h, measured: { width: w, height: h }, selected: chosen.has(node.id) } as CanvasNode;
      }
      if (!chosen.has(node.id)) return node;
      let variant = variants.current.get(node);
      if (!variant) variants.current.set(node, (variant = { ...node, selected: true } as CanvasNode));
      return variant;
    });
  }, [base, selected, overlay]);
  const nodesRef = useRef(nodes);
  nodesRef.current = nodes;

  const carried = useRef(new Map<string, { dx: number; dy: number; by: string }>());
  /** A frame takes along what lies inside it. */
  const dragStart = useCallback((dragged: CanvasNode[]) => {
    carried.current.clear();
    const ids = new Set(dragged.map((n) => n.id));
    for (const f of dragged) {
      if (f.type !== "frame") continue;
      for (const n of nodesRef.current) if (!ids.has(n.id) && n.type !== "ends" && geometry.contains(rectOf(f), rectOf(n))) carried.current.set(n.id, { dx: n.position.x - f.position.x, dy: n.position.y - f.position.y, by: f.id });
    }
  }, []);

  const onNodesChange = useCallback((changes: NodeChange<CanvasNode>[]) => {
    let next: Map<string, Overlay> | null = null;
    let choice: Set<string> | null = null;
    const s = session.state.selected;
    for (const c of changes) {
      if (c.type === "select") {
        choice ??= new Set([...s.nodes, ...s.comments.map(commentId), ...s.frames.map(frameId)]);
        if (c.selected) choice.add(c.id);
        else choice.delete(c.id);
      } else if (c.type === "position" && c.position) {
        next ??= new Map();
        next.set(c.id, { ...next.get(c.id), x: c.position.x, y: c.position.y });
        for (const [id, { dx, dy, by }] of carried.current) if (by === c.id) next.set(id, { x: c.position.x + dx, y: c.position.y + dy });
      } else if (c.type === "dimensions" && c.resizing && c.dimensions) {
        next ??= new Map();
        next.set(c.id, { ...next.get(c.id), w: c.dimensions.width, h: c.dimensions.height });
      }
    }
    if (next) {
      const added = next;
      setOverlay((old) => {
        const all = new Map(old);
        for (const [id, o] of added) all.set(id, { ...all.get(id), ...o });
        return all;
      });
    }
    if (choice) {
      const selection = { nodes: [] as string[], comments: [] as string[], frames: [] as string[] };
      for (const id of choice) {
        const item = itemOf(id);
        if (item.kind !== "ends") selection[item.kind].push(item.id);
      }
      session.select(choice.size ? selection : nothing, session.state.wires);
    }
  }, [session]);

  const drop = useCallback(() => {
    carried.current.clear();
    setOverlay((old) => (old.size ? new Map() : old));
  }, []);
  /** Writes into the document where the drag has ended. */
  const commit = useCallback((then?: () => void) => {
    setOverlay((old) => {
      const moves: Required<Omit<Moves, "frameSizes">> = { nodes: {}, comments: {}, frames: {} };
      let n = 0;
      for (const [id, o] of old) {
        const item = itemOf(id);
        if (item.kind === "ends" || o.x === undefined || o.w !== undefined) continue;
        moves[item.kind][item.id] = [o.x, o.y!] as Point;
        n++;
      }
      if (n) queueMicrotask(() => {
        session.edit(n === 1 ? "move" : `move ${n} nodes`, (g) => moveItems(g, moves));
        then?.();
        drop();
      });
      else queueMicrotask(() => {
        then?.();
        drop();
      });
      return old;
    });
  }, [session, drop]);

  return { nodes, edges, model, onNodesChange, dragStart, commit, drop, nodesRef };
}
