// SPDX-License-Identifier: Apache-2.0
import { geometry } from "@larmor/graph";
import { useReactFlow, useStore } from "@xyflow/react";
import { type PointerEvent, useEffect, useMemo, useRef } from "react";
import { useTheme } from "../theme/useTheme.ts";
import { useSession } from "../state/hooks.ts";
import { type CanvasNode, rectOf } from "./model.ts";
import { lookOf, stateLook } from "./states.tsx";

const width = 168, height = 112, margin = 8;

/** The whole graph, small, with the part that is seen; drag to go elsewhere. Painted once a change, not once a node. */
export function MiniMap({ nodes }: { nodes: CanvasNode[] }) {
  const session = useSession();
  const flow = useReactFlow();
  const theme = useTheme();
  const ref = useRef<HTMLCanvasElement>(null);
  const [tx, ty, zoom] = useStore((s) => s.transform);
  const w = useStore((s) => s.width), h = useStore((s) => s.height);
  const all = useMemo(() => geometry.bounds(nodes.map(rectOf)) ?? { x: 0, y: 0, w: 1, h: 1 }, [nodes]);
  const scale = Math.min((width - 2 * margin) / all.w, (height - 2 * margin) / all.h, 0.12);
  const ox = (width - all.w * scale) / 2 - all.x * scale, oy = (height - all.h * scale) / 2 - all.y * scale;

  useEffect(() => {
    const canvas = ref.current!, g = canvas.getContext("2d")!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const paint = () => {
      timer = undefined;
      const dpr = devicePixelRatio, style = getComputedStyle(canvas);
      canvas.width = width * dpr;
      canvas.height = height * dpr;
      g.setTransform(dpr, 0, 0, dpr, 0, 0);
      for (const n of nodes) {
        if (n.type === "ends") continue;
        const r = rectOf(n);
        const colour = n.type === "op" ? stateLook[lookOf(session, n.data.path)].colour : n.type === "frame" ? "var(--frame-line)" : "var(--comment-line)";
        g.fillStyle = n.selected ? style.getPropertyValue("--accent") : style.getPropertyValue(colour.slice(4, -1));
        g.globalAlpha = n.type === "op" ? 0.75 : 0.4;
        g.beginPath();
        g.roundRect(r.x * scale + ox, r.y * scale + oy, Math.max(1.5, r.w * scale), Math.max(1.5, r.h * scale), 1.5);
        g.fill();
      }
    };
    paint();
    const off = session.reports.subscribeAll(() => (timer ??= setTimeout(paint, 250)));
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [nodes, session, theme, scale, ox, oy]);

  const go = (e: PointerEvent) => {
    const box = ref.current!.getBoundingClientRect();
    const x = (e.clientX - box.left - ox) / scale, y = (e.clientY - box.top - oy) / scale;
    void flow.setViewport({ zoom, x: w / 2 - x * zoom, y: h / 2 - y * zoom });
  };
  const view = { left: (-tx / zoom) * scale + ox, top: (-ty / zoom) * scale + oy, width: (w / zoom) * scale, height: (h / zoom) * scale };
  return (
    <div
      className="minimap"
      data-testid="minimap"
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        go(e);
      }}
      onPointerMove={(e) => e.buttons && go(e)}
    >
      <canvas ref={ref} style={{ width, height }} />
      <div className="minimap-view" style={view} />
    </div>
  );
}
