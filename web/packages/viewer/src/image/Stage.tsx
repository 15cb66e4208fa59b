// SPDX-License-Identifier: Apache-2.0
import { useLayoutEffect, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode, type RefObject } from "react";
import { useEffect } from "react";
import { textOf } from "../errors.ts";
import { extent, step } from "../maths/axes.ts";
import { partOf } from "../maths/parts.ts";
import type { Roi } from "../maths/roi.ts";
import { dragged } from "../maths/window.ts";
import { fitted } from "./layout.ts";
import { barWidth, drawCross, drawLetters, drawLine, drawRoi, drawSeam, drawTileLabel, stampBar } from "./overlay.ts";
import { renderer } from "./renderer.ts";
import type { ImageModel, Pick } from "./useImage.ts";

type Drag =
  | { kind: "pan"; x: number; y: number; moved: boolean; tile: number }
  | { kind: "window"; x: number; y: number; lo: number; hi: number }
  | { kind: "seam"; tile: number }
  | { kind: "shape"; tile: number; roi: number; end: 0 | 1 }
  | { kind: "vertex"; tile: number; roi: number; vertex: number }
  | { kind: "line"; tile: number; end: 0 | 1 };

export interface StageProps {
  model: ImageModel;
  canvas: RefObject<HTMLCanvasElement | null>;
  bar: boolean;
  names: [string, string];
  onHover: (pick: Pick | null) => void;
  onFailure: (error: unknown) => void;
}

/** The picture and everything the hand does on it. */
export function Stage({ model, canvas, bar, names, onHover, onFailure }: StageProps): ReactNode {
  const { layout, slicesA, slicesB, look, lookB, options, change, tiles } = model;
  const drag = useRef<Drag | null>(null);
  const [draft, setDraft] = useState<[number, number][] | null>(null);
  const tool = options.tool ?? "point";
  const rois = options.rois ?? [];
  const box = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    const target = canvas.current;
    const frame = box.current;
    if (!target || !frame) return;
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [frame.clientWidth, frame.clientHeight];
    const [W, H] = [Math.round(w * ratio), Math.round(h * ratio)];
    if (target.width !== W || target.height !== H) {
      target.width = W;
      target.height = H;
    }
    const ctx = target.getContext("2d")!;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, W, H);
    if (!slicesA || w < 2 || h < 2) return;
    const legend = { largest: model.source.leaf.max ?? 255, names: model.source.names };
    const strip = bar ? barWidth(look.part, legend, w) : 0;
    const inner = w - strip;
    const placed = slicesA.map((a, k) => {
      // A thinned plane ends with the elements that its last sample stands for.
      const t = layout.place(k, [0, a.width * a.step[0]], [0, a.height * a.step[1]]);
      return { a, b: slicesB?.[k] ?? null, x: t.x * ratio, y: t.y * ratio, width: t.width * ratio, height: t.height * ratio };
    });
    const { detail } = model;
    if (detail) {
      // Over the thinned plane, not instead of it: the rest of the picture stays while one moves.
      const last = [detail.x[0] + detail.slice.width * detail.slice.step[0], detail.y[0] + detail.slice.height * detail.slice.step[1]] as const;
      const t = layout.place(0, [detail.x[0], last[0]], [detail.y[0], last[1]]);
      placed.push({ a: detail.slice, b: null, x: t.x * ratio, y: t.y * ratio, width: t.width * ratio, height: t.height * ratio });
    }
    try {
      renderer().draw(ctx, Math.round(inner * ratio), H, {
        tiles: model.mode === "single" ? placed.map((t) => ({ ...t, b: null })) : placed,
        flipH: model.flipH,
        flipV: model.flipV,
        look,
        lookB,
        mode: model.mode,
        wipe: options.compare?.at ?? 0.5,
        opacity: options.compare?.opacity ?? 0.6,
        smooth: options.smooth ?? false,
      });
    } catch (e) {
      onFailure(e);
      return;
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, 0, inner, h);
    ctx.clip();
    if (tiles.length > 1) {
      tiles.forEach((k, n) => {
        const t = layout.tile(n);
        if (t.width > 36) drawTileLabel(ctx, String(k), t.x, t.y);
      });
    } else {
      drawLetters(ctx, model.letters, inner, h);
    }
    if (model.mode === "wipe") {
      slicesA.forEach((_, k) => {
        const t = layout.tile(k);
        drawSeam(ctx, t.x + t.width * (options.compare?.at ?? 0.5), t.y, t.height, k === 0 ? names : ["", ""]);
      });
    }
    rois.forEach((roi, k) => drawRoi(ctx, layout, 0, roi, k));
    if (draft) drawRoi(ctx, layout, 0, { kind: "polygon", points: draft }, rois.length, true);
    if (options.line) drawLine(ctx, layout, 0, options.line);
    if (model.cursorHere && model.cursorFrom !== model.me) drawCross(ctx, layout, 0, ...model.cursorHere);
    ctx.restore();
    if (strip) stampBar(ctx, model.mode === "difference" && lookB ? lookB : look, model.complex, model.unit, legend, w, h, ratio);
  });

  const where = (e: { clientX: number; clientY: number }): [number, number] => {
    const r = box.current!.getBoundingClientRect();
    return [e.clientX - r.left, e.clientY - r.top];
  };
  const setRoi = (k: number, roi: Roi) => change({ rois: rois.map((r, n) => (n === k ? roi : r)) });
  const near = (tile: number, i: number, j: number, x: number, y: number) => {
    const [sx, sy] = layout.toScreen(tile, i, j);
    return Math.hypot(sx - x, sy - y) < 8;
  };

  const grab = (x: number, y: number): Drag | null => {
    const t = layout.tile(0);
    if (model.mode === "wipe") {
      for (let k = 0; k < tiles.length; ++k) {
        const tile = layout.tile(k);
        const seam = tile.x + tile.width * (options.compare?.at ?? 0.5);
        if (Math.abs(seam - x) < 8 && y >= tile.y && y <= tile.y + t.height) return { kind: "seam", tile: k };
      }
    }
    if (options.line && near(0, options.line.x0, options.line.y0, x, y)) return { kind: "line", tile: 0, end: 0 };
    if (options.line && near(0, options.line.x1, options.line.y1, x, y)) return { kind: "line", tile: 0, end: 1 };
    for (let k = rois.length - 1; k >= 0; --k) {
      const roi = rois[k]!;
      if (roi.kind === "polygon") {
        const vertex = roi.points.findIndex(([i, j]) => near(0, i, j, x, y));
        if (vertex >= 0) return { kind: "vertex", tile: 0, roi: k, vertex };
      } else {
        if (near(0, roi.x0, roi.y0, x, y)) return { kind: "shape", tile: 0, roi: k, end: 0 };
        if (near(0, roi.x1, roi.y1, x, y)) return { kind: "shape", tile: 0, roi: k, end: 1 };
      }
    }
    return null;
  };

  const down = (e: PointerEvent<HTMLDivElement>) => {
    const [x, y] = where(e);
    box.current!.focus({ preventScroll: true });
    const hit = layout.toIndex(x, y);
    const tile = hit?.tile ?? 0;
    if (e.button === 2 || (e.button === 0 && e.shiftKey)) {
      drag.current = { kind: "window", x, y, ...look.window };
    } else if (e.button === 1) {
      drag.current = { kind: "pan", x, y, moved: true, tile };
    } else if (e.button === 0) {
      const grabbed = grab(x, y);
      const { i, j } = layout.indexIn(0, x, y);
      if (draft) {
        setDraft([...draft, [i, j]]);
        return;
      }
      if (grabbed) drag.current = grabbed;
      else if (tool === "line" && hit) {
        change({ line: { x0: i, y0: j, x1: i, y1: j } });
        drag.current = { kind: "line", tile: 0, end: 1 };
      } else if ((tool === "rect" || tool === "ellipse") && hit) {
        change({ rois: [...rois, { kind: tool, x0: i, y0: j, x1: i, y1: j }] });
        drag.current = { kind: "shape", tile: 0, roi: rois.length, end: 1 };
      } else if (tool === "polygon" && hit) {
        setDraft([[i, j]]);
        return;
      } else drag.current = { kind: "pan", x, y, moved: false, tile };
    } else return;
    box.current!.setPointerCapture(e.pointerId);
    e.preventDefault();
  };

  const move = (e: PointerEvent<HTMLDivElement>) => {
    const [x, y] = where(e);
    const d = drag.current;
    if (!d) {
      const hit = layout.toIndex(x, y);
      const pick = hit && model.pick(hit.tile, hit.i, hit.j);
      onHover(pick);
      if (model.linked) model.setCursor(pick);
      return;
    }
    switch (d.kind) {
      case "window":
        model.setWindow(dragged(d, x - d.x, y - d.y));
        break;
      case "pan":
        if (!d.moved && Math.hypot(x - d.x, y - d.y) < 4) break;
        change({ zoom: layout.panned(x - d.x, y - d.y) });
        drag.current = { ...d, x, y, moved: true };
        break;
      case "seam": {
        const t = layout.tile(d.tile);
        change({ compare: { ...options.compare!, at: Math.min(1, Math.max(0, (x - t.x) / t.width)) } });
        break;
      }
      case "line": {
        const { i, j } = layout.indexIn(d.tile, x, y);
        const l = options.line;
        if (l) change({ line: d.end === 0 ? { ...l, x0: i, y0: j } : { ...l, x1: i, y1: j } });
        break;
      }
      case "shape": {
        const { i, j } = layout.indexIn(d.tile, x, y);
        const roi = rois[d.roi];
        if (roi && roi.kind !== "polygon") setRoi(d.roi, d.end === 0 ? { ...roi, x0: i, y0: j } : { ...roi, x1: i, y1: j });
        break;
      }
      case "vertex": {
        const { i, j } = layout.indexIn(d.tile, x, y);
        const roi = rois[d.roi];
        if (roi?.kind === "polygon") {
          setRoi(d.roi, { ...roi, points: roi.points.map((p, n) => (n === d.vertex ? [i, j] : p)) });
        }
      }
    }
  };

  const up = (e: PointerEvent<HTMLDivElement>) => {
    const d = drag.current;
    drag.current = null;
    if (!d) return;
    const [x, y] = where(e);
    if (d.kind === "pan" && !d.moved) {
      const hit = layout.toIndex(x, y);
      const pick = hit && model.pick(hit.tile, hit.i, hit.j);
      if (pick) {
        model.pin(pick);
        onHover(pick);
      }
    }
    // A click that draws nothing leaves nothing behind.
    if (d.kind === "shape") {
      const roi = rois[d.roi];
      if (roi && roi.kind !== "polygon" && Math.abs(roi.x1 - roi.x0) < 0.5 && Math.abs(roi.y1 - roi.y0) < 0.5) {
        change({ rois: rois.filter((_, n) => n !== d.roi) });
      }
    }
    const l = options.line;
    if (d.kind === "line" && l && Math.hypot(l.x1 - l.x0, l.y1 - l.y0) < 0.5) change({ line: null });
  };

  const close = () => {
    if (draft && draft.length >= 3) change({ rois: [...rois, { kind: "polygon", points: draft }] });
    setDraft(null);
  };
  const primary = model.cine.axis;
  const turn = (by: number, axis = primary) => {
    if (axis && !model.tileAxis) model.setAt({ [axis]: step(model.at[axis] ?? 0, by, extent(model.source.leaf, axis), false) });
  };

  const latest = useRef({ layout, turn, primary, change });
  latest.current = { layout, turn, primary, change };
  useEffect(() => {
    const element = box.current!;
    // React's wheel handlers are passive: the page would scroll along.
    const wheel = (e: WheelEvent) => {
      e.preventDefault();
      const l = latest.current;
      const r = element.getBoundingClientRect();
      if (e.ctrlKey || e.metaKey || !l.primary) {
        l.change({ zoom: l.layout.zoomed(Math.exp(-e.deltaY / 300), e.clientX - r.left, e.clientY - r.top) });
      } else l.turn(e.deltaY > 0 ? 1 : -1);
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, []);

  const key = (e: KeyboardEvent) => {
    if (e.altKey || ((e.ctrlKey || e.metaKey) && !["+", "-"].includes(e.key))) return;
    const middle = [layout.tile(0).x, layout.tile(0).y] as const;
    const r = box.current!;
    const zoomBy = (f: number) => change({ zoom: layout.zoomed(f, r.clientWidth / 2 || middle[0], r.clientHeight / 2 || middle[1]) });
    const second = model.hands.find((a) => a !== primary) ?? null;
    const actions: Record<string, () => void> = {
      ArrowUp: () => turn(1),
      ArrowDown: () => turn(-1),
      ArrowRight: () => turn(1, second ?? primary),
      ArrowLeft: () => turn(-1, second ?? primary),
      PageUp: () => turn(10),
      PageDown: () => turn(-10),
      Home: () => turn(-1e9),
      End: () => turn(1e9),
      "+": () => zoomBy(1.25),
      "=": () => zoomBy(1.25),
      "-": () => zoomBy(0.8),
      "0": () => change({ zoom: fitted }),
      a: () => model.autoWindowBy("slice"),
      " ": () => (model.cine.playing ? model.cine.stop() : model.cine.play()),
      Enter: close,
      Escape: () => {
        setDraft(null);
        change({ tool: "point" });
      },
      Delete: () => change({ rois: rois.slice(0, -1), line: rois.length ? options.line : null }),
      l: () => change({ tool: "line" }),
      r: () => change({ tool: "rect" }),
      e: () => change({ tool: "ellipse" }),
      g: () => change({ tool: "polygon" }),
    };
    const act = actions[e.key];
    if (!act) return;
    e.preventDefault();
    e.stopPropagation();
    act();
  };

  return (
    <div
      ref={box}
      className={`lmv-stage lmv-tool-${tool}`}
      tabIndex={0}
      role="img"
      aria-label={stageLabel(model)}
      data-state={model.error !== null ? "error" : model.loading || !slicesA ? "waiting" : "done"}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerLeave={() => {
        if (drag.current) return;
        onHover(null);
        if (model.linked) model.setCursor(null);
      }}
      onDoubleClick={() => (draft ? close() : tool === "point" && change({ zoom: fitted }))}
      onContextMenu={(e) => e.preventDefault()}
      onKeyDown={key}
    >
      <canvas ref={canvas} />
      {model.error !== null && <div className="lmv-stage-note" role="alert">{textOf(model.error)}</div>}
      {model.warning && <div className="lmv-stage-note">{model.warning}</div>}
      {model.loading && !slicesA && <div className="lmv-waiting" role="status" aria-label="loading" />}
    </div>
  );
}

function stageLabel(model: ImageModel): string {
  const at = Object.entries(model.at).map(([a, i]) => `${a} ${i}`).join(", ");
  return `${model.source.title || model.source.port}: ${model.shown.join(" by ")}${at ? `, ${at}` : ""}`;
}

export const valueOf = (model: ImageModel, re: number, im: number): number =>
  model.complex ? partOf(re, im, model.part) : re;
