// SPDX-License-Identifier: Apache-2.0
import { useStoreApi } from "@xyflow/react";
import { useEffect, useRef, useState } from "react";
import { type CanvasNode, rectOf, type WireType } from "./model.ts";

interface Stage {
  far: boolean;
  order: string[];  // nodes that are seen, from the middle outwards
  n: number;        // of them drawn
}
const none: never[] = [];
const least = 8, most = 24;  // nodes a frame: each frame has a cost of its own, so few are not faster
const hidden = new WeakMap<CanvasNode, CanvasNode>();
const hide = (node: CanvasNode) => {
  let h = hidden.get(node);
  if (!h) hidden.set(node, (h = { ...node, hidden: true } as CanvasNode));
  return h;
};

/**
 * What React Flow draws of a large graph: nothing from afar, where it is painted. In between nodes come and go a few a
 * frame, under the painting: all of them at once would take as long as ten frames. They are hidden before they go, because
 * for each that is simply gone React Flow throws and catches an error.
 */
export function useStaged(nodes: CanvasNode[], edges: WireType[], far: boolean): { nodes: CanvasNode[]; edges: WireType[]; painted: boolean } {
  const store = useStoreApi();
  const [last, setLast] = useState(far);
  const [stage, setStage] = useState<Stage | null>(null);
  const pace = useRef({ size: 10, at: 0 });
  const seen = (): string[] => {
    const { transform: [tx, ty, zoom], width, height } = store.getState();
    const middle = { x: (width / 2 - tx) / zoom, y: (height / 2 - ty) / zoom };
    const away = nodes.flatMap((n) => {
      const r = rectOf(n);
      const inside = r.x * zoom + tx < width && r.y * zoom + ty < height && (r.x + r.w) * zoom + tx > 0 && (r.y + r.h) * zoom + ty > 0;
      return inside ? [[Math.hypot(r.x + r.w / 2 - middle.x, r.y + r.h / 2 - middle.y), n.id] as const] : [];
    });
    return away.sort((a, b) => a[0] - b[0]).map(([, id]) => id);
  };
  /** What is drawn now. */
  const there = () => [...(store.getState().domNode?.querySelectorAll<HTMLElement>(".react-flow__node") ?? [])].map((e) => e.dataset["id"]!);
  if (last !== far) {
    setLast(far);
    const order = stage?.order ?? (far ? there() : seen());
    setStage({ far, order, n: stage?.n ?? (far ? Math.max(0, order.length - least) : 0) });
  }
  useEffect(() => {
    if (!stage) return;
    const handle = requestAnimationFrame((now) => {
      const p = pace.current, took = now - p.at;
      p.at = now;
      if (took < 200) p.size = Math.max(least, Math.min(most, took > 34 ? p.size * 0.75 : p.size * 1.15));
      const n = stage.n + Math.round(stage.far ? -p.size : p.size);
      setStage((stage.far ? n <= 0 : n >= stage.order.length) ? null : { ...stage, n });
    });
    return () => cancelAnimationFrame(handle);
  }, [stage]);
  if (!stage) return { nodes: far ? none : nodes, edges: far ? none : edges, painted: far };
  // Only what was seen when it began: nodes that come into view meanwhile are painted.
  const place = new Map(stage.order.map((id, k) => [id, k]));
  const drawn = (id: string) => (place.get(id) ?? Infinity) < stage.n;
  return { nodes: nodes.flatMap((n) => (drawn(n.id) ? n : place.has(n.id) ? hide(n) : [])), edges: edges.filter((e) => drawn(e.source) && drawn(e.target)), painted: true };
}
