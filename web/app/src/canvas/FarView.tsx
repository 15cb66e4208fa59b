// SPDX-License-Identifier: Apache-2.0
import { useReactFlow, useStoreApi } from "@xyflow/react";
import { useEffect, useRef } from "react";
import { theCanvas } from "../actions.ts";
import { useCatalogue, useSession } from "../state/hooks.ts";
import { type CanvasNode, itemOf, rectOf, type WireType } from "./model.ts";
import { lookOf, stateLook } from "./states.tsx";

const variable = (style: CSSStyleDeclaration, colour: string) => (colour.startsWith("var(") ? style.getPropertyValue(colour.slice(4, -1)).trim() : colour);

/**
 * A large graph from afar, painted: a box for a node and a line for a wire cost a thousandth of their elements. A click
 * chooses, a double click goes there.
 */
export function FarView({ nodes, edges }: { nodes: CanvasNode[]; edges: WireType[] }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const store = useStoreApi();
  const flow = useReactFlow();
  const ref = useRef<HTMLCanvasElement>(null);
  const now = useRef({ nodes, edges });
  now.current = { nodes, edges };

  useEffect(() => {
    const canvas = ref.current!, g = canvas.getContext("2d")!;
    let asked = 0;
    let rects = new Map<string, { x: number; y: number; w: number; h: number }>();
    let of: CanvasNode[] | null = null;
    const paint = () => {
      asked = 0;
      const { nodes: all, edges: wires } = now.current;
      if (of !== all) {
        of = all;
        rects = new Map(all.map((n) => [n.id, rectOf(n)]));
      }
      const [tx, ty, zoom] = store.getState().transform;
      const box = canvas.getBoundingClientRect(), dpr = devicePixelRatio;
      if (canvas.width !== Math.round(box.width * dpr) || canvas.height !== Math.round(box.height * dpr)) {
        canvas.width = Math.round(box.width * dpr);
        canvas.height = Math.round(box.height * dpr);
      }
      const style = getComputedStyle(canvas);
      g.setTransform(1, 0, 0, 1, 0, 0);
      g.clearRect(0, 0, canvas.width, canvas.height);
      g.setTransform(zoom * dpr, 0, 0, zoom * dpr, tx * dpr, ty * dpr);
      const seen = { x: -tx / zoom, y: -ty / zoom, r: (box.width - tx) / zoom, b: (box.height - ty) / zoom };
      // Wires of a colour are one path: strokes cost by the call.
      const paths = new Map<string, Path2D>();
      for (const e of wires) {
        const a = rects.get(e.source), b = rects.get(e.target);
        if (!a || !b) continue;
        const x0 = a.x + a.w, y0 = a.y + a.h / 2, x1 = b.x, y1 = b.y + b.h / 2;
        if (Math.max(x0, x1) < seen.x || Math.min(x0, x1) > seen.r || Math.max(y0, y1) < seen.y || Math.min(y0, y1) > seen.b) continue;
        const colour = catalogue.colour(e.data!.type);
        let p = paths.get(colour);
        if (!p) paths.set(colour, (p = new Path2D()));
        const bend = Math.max(30, Math.abs(x1 - x0) * 0.45);
        p.moveTo(x0, y0);
        p.bezierCurveTo(x0 + bend, y0, x1 - bend, y1, x1, y1);
      }
      g.lineWidth = Math.max(2, 0.8 / zoom);
      g.globalAlpha = 0.55;
      for (const [colour, p] of paths) {
        g.strokeStyle = colour;
        g.stroke(p);
      }
      g.globalAlpha = 1;
      const fill = variable(style, "var(--node)"), line = variable(style, "var(--line-strong)"), accent = variable(style, "var(--accent)"), text = variable(style, "var(--text)");
      const titled = zoom > 0.16;
      g.font = `600 ${Math.min(34, 9.5 / zoom)}px Inter, sans-serif`;
      g.textBaseline = "middle";
      for (const n of all) {
        const r = rects.get(n.id)!;
        if (r.x > seen.r || r.y > seen.b || r.x + r.w < seen.x || r.y + r.h < seen.y) continue;
        if (n.type === "frame" || n.type === "comment") {
          g.fillStyle = variable(style, n.type === "frame" ? "var(--frame)" : "var(--comment)");
          g.fillRect(r.x, r.y, r.w, r.h);
          continue;
        }
        const state = n.type === "op" ? lookOf(session, n.data.path) : "idle";
        g.fillStyle = fill;
        g.beginPath();
        g.roundRect(r.x, r.y, r.w, r.h, 12);
        g.fill();
        g.globalAlpha = 0.42;
        g.fillStyle = variable(style, stateLook[state].colour);
        g.fill();
        g.globalAlpha = 1;
        g.lineWidth = n.selected ? 3 / zoom : 1 / zoom;
        g.strokeStyle = n.selected ? accent : line;
        g.stroke();
        if (titled && n.type === "op") {
          g.save();
          g.clip();
          g.fillStyle = text;
          g.fillText(n.data.view.title, r.x + 14, r.y + r.h / 2);
          g.restore();
        }
      }
    };
    const ask = () => {
      if (!asked) asked = requestAnimationFrame(paint);
    };
    ask();
    repaint.current = ask;
    const offs = [store.subscribe((s, before) => (s.transform !== before.transform || s.width !== before.width || s.height !== before.height) && ask()), session.reports.subscribeAll(ask)];
    const size = new ResizeObserver(ask);
    size.observe(canvas);
    const theme = new MutationObserver(ask);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      cancelAnimationFrame(asked);
      offs.forEach((off) => off());
      size.disconnect();
      theme.disconnect();
    };
  }, [store, session, catalogue]);
  const repaint = useRef<() => void>(() => undefined);
  useEffect(() => void repaint.current(), [nodes, edges]);

  // The canvas lets the pane below it pan and zoom; only clicks are looked at.
  useEffect(() => {
    const pane = ref.current!.parentElement!.querySelector(".react-flow__pane");
    if (!pane) return;
    const hit = (e: Event) => {
      const p = flow.screenToFlowPosition({ x: (e as MouseEvent).clientX, y: (e as MouseEvent).clientY });
      return [...now.current.nodes].reverse().find((n) => n.type === "op" && p.x >= n.position.x && p.y >= n.position.y && p.x <= n.position.x + n.width! && p.y <= n.position.y + n.height!);
    };
    const click = (e: Event) => {
      const n = hit(e);
      const add = (e as MouseEvent).shiftKey || (e as MouseEvent).ctrlKey;
      if (!n) return;
      e.stopPropagation();
      const id = itemOf(n.id).id, { nodes: chosen } = session.state.selected;
      session.select({ nodes: add ? (chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id]) : [id] });
    };
    const twice = (e: Event) => {
      const n = hit(e);
      if (!n) return;
      e.stopPropagation();
      theCanvas()?.focus([n.id]);
    };
    pane.addEventListener("click", click);
    pane.addEventListener("dblclick", twice);
    return () => {
      pane.removeEventListener("click", click);
      pane.removeEventListener("dblclick", twice);
    };
  }, [flow, session]);
  return <canvas className="far-view" ref={ref} data-testid="far-view" />;
}
