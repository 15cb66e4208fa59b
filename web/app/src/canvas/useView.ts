// SPDX-License-Identifier: Apache-2.0
import { geometry } from "@larmor/graph";
import { type ReactFlowInstance, useReactFlow, type Viewport } from "@xyflow/react";
import { type RefObject, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import * as actions from "../actions.ts";
import { type CanvasNode, rectOf, type WireType } from "./model.ts";

export type Flow = ReactFlowInstance<CanvasNode, WireType>;
const views = new Map<string, Viewport>();  // where each graph was looked at last
const map = { w: 200, h: 136 };             // the small map in the corner, with its margin

/** Brings a region into the middle. React Flow's own way knows only nodes that it draws. */
function show(flow: Flow, element: HTMLElement, r: geometry.Rect, least: number, most: number, duration = 220) {
  const { width, height } = element.getBoundingClientRect();
  const zoom = Math.min(most, Math.max(least, 0.93 * Math.min(width / Math.max(r.w, 1), height / Math.max(r.h, 1))));
  void flow.setViewport({ zoom, x: width / 2 - (r.x + r.w / 2) * zoom, y: height / 2 - (r.y + r.h / 2) * zoom }, { duration });
}

/** Shows all of a graph; where nodes would lie under the small map, in the part beside or above it that takes more of them. */
function showAll(flow: Flow, element: HTMLElement, rects: geometry.Rect[], minimap: boolean, most: number, duration?: number) {
  const r = geometry.bounds(rects);
  if (!r) return;
  const { width, height } = element.getBoundingClientRect();
  const place = (w: number, h: number) => {
    const zoom = Math.min(most, Math.max(0.04, 0.93 * Math.min(w / Math.max(r.w, 1), h / Math.max(r.h, 1))));
    return { zoom, x: w / 2 - (r.x + r.w / 2) * zoom, y: h / 2 - (r.y + r.h / 2) * zoom };
  };
  let at = place(width, height);
  const under = (n: geometry.Rect) => (n.x + n.w) * at.zoom + at.x > width - map.w && (n.y + n.h) * at.zoom + at.y > height - map.h;
  if (minimap && width > 440 && height > 280 && rects.some(under)) {  // as canvas.css shows it
    const [beside, above] = [place(width - map.w, height), place(width, height - map.h)];
    at = beside.zoom > above.zoom ? beside : above;
  }
  void flow.setViewport(at, { duration: duration ?? 220 });
}

/** What is seen of the graph: kept where it was looked at, moved when something new or the size of the page asks for it. */
export function useView(place: string, box: RefObject<HTMLDivElement | null>, nodes: CanvasNode[], nodesRef: RefObject<CanvasNode[]>, minimap: boolean) {
  const flow = useReactFlow<CanvasNode, WireType>();
  const pointer = useRef<{ x: number; y: number } | null>(null);
  const wanted = useRef<string | null>(null);
  const all = () => geometry.bounds(nodesRef.current.map(rectOf));

  const handle = useMemo(() => {
    const middle = () => {
      const r = box.current!.getBoundingClientRect();
      return { x: r.left + r.width / 2, y: r.top + r.height / 2 };
    };
    return {
      middle: () => pointer.current ?? middle(),
      place: (): [number, number] => {
        const q = flow.screenToFlowPosition(pointer.current ?? middle());
        return [q.x, q.y];
      },
      fit: () => showAll(flow, box.current!, nodesRef.current.map(rectOf), minimap, 1),
      focus: (ids: string[]) => {
        const r = geometry.bounds(nodesRef.current.filter((n) => ids.includes(n.id)).map(rectOf));
        if (r) show(flow, box.current!, r, 0.6, Math.max(0.9, Math.min(1.2, flow.getZoom())));
      },
      zoom: (f: number | "one") => void flow.zoomTo(f === "one" ? 1 : flow.getZoom() * f, { duration: 120 }),
      nodes: () => nodesRef.current,
      /** Once the node is there: moves as little as shows it whole. */
      seen: (id: string) => void (wanted.current = id),
    };
  }, [flow, box, nodesRef, minimap]);

  useEffect(() => {
    const node = wanted.current && nodes.find((n) => n.id === wanted.current);
    if (!node) return;
    wanted.current = null;
    const { width, height } = box.current!.getBoundingClientRect();
    const { x, y, zoom } = flow.getViewport();
    const r = rectOf(node), margin = 24;
    const left = r.x * zoom + x, top = r.y * zoom + y, w = r.w * zoom, h = r.h * zoom;
    const under = minimap && left + w > width - map.w && top + h > height - map.h;
    const floor = height - (under ? map.h : 0);
    const shift = (at: number, size: number, room: number) => (at + size > room - margin ? room - margin - at - size : 0);
    let dx = shift(left, w, width), dy = shift(top, h, floor);
    if (left + dx < margin) dx = margin - left;
    if (top + dy < margin) dy = margin - top;
    if (dx || dy) void flow.setViewport({ zoom, x: x + dx, y: y + dy }, { duration: 160 });
  }, [nodes, flow, box, minimap]);

  // Panels that open take room: the middle stays the middle, and a graph that was seen whole is seen whole.
  useEffect(() => {
    const element = box.current!;
    let before = element.getBoundingClientRect();
    const observer = new ResizeObserver(() => {
      const now = element.getBoundingClientRect();
      if (now.width === before.width && now.height === before.height) return;
      const { x, y, zoom } = flow.getViewport();
      const r = all();
      const whole = r !== null && r.x * zoom + x >= 0 && r.y * zoom + y >= 0 && (r.x + r.w) * zoom + x <= before.width && (r.y + r.h) * zoom + y <= before.height;
      if (whole && r) showAll(flow, element, nodesRef.current.map(rectOf), minimap, zoom, 0);
      else void flow.setViewport({ zoom, x: x + (now.width - before.width) / 2, y: y + (now.height - before.height) / 2 });
      before = now;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [flow, box, minimap]);  // eslint-disable-line react-hooks/exhaustive-deps

  // Where it was looked at last; a graph that is new is shown whole.
  const first = useMemo(() => views.get(place), [place]);
  useLayoutEffect(() => {
    if (!first) showAll(flow, box.current!, nodesRef.current.map(rectOf), minimap, 1, 0);
  }, [first, flow, box]);  // eslint-disable-line react-hooks/exhaustive-deps

  return { flow, handle, pointer, first, keep: (v: Viewport) => void views.set(place, v) };
}

/** Tells the actions which canvas they work on. */
export function useHandle(handle: Omit<actions.CanvasHandle, "quickAdd">, quickAdd: () => void) {
  const add = useRef(quickAdd);
  add.current = quickAdd;
  useEffect(() => {
    actions.setCanvas({ ...handle, quickAdd: () => add.current() });
    return () => actions.setCanvas(null);
  }, [handle]);
}
