// SPDX-License-Identifier: Apache-2.0
import type { Client } from "../api/client.ts";
import { isComplex } from "../api/decode.ts";
import { isLeaf, isRecord, leaves, mainLeaf } from "../api/tree.ts";
import { curveNumbers, curveSource, curveQuery, curvesOf, defaultAlong, defaultFamily } from "../curves/source.ts";
import { colourise } from "../image/colourise.ts";
import { defaultMap, resolveWindow } from "../image/options.ts";
import { slicesOf, valuesOf } from "../image/slice.ts";
import { geometryOf } from "../image/source.ts";
import { mapsOf } from "../maps/source.ts";
import { completeIndices, defaultAxes } from "../maths/axes.ts";
import { orient, spacingOf, upright } from "../maths/geometry.ts";
import { short } from "../maths/window.ts";
import { rgba } from "../picture/rgba.ts";
import type { ArrayLeaf, Part, ValueInfo } from "../types.ts";
import { isPicture, pictureAxes, viewersFor } from "../viewers.ts";
import { pathStrokes, sceneStrokes, type Stroke } from "./strokes.ts";

/** What a small canvas shows of a value. */
export type Small =
  | { kind: "picture"; pixels: ImageData; aspect: number; flipH: boolean; flipV: boolean }
  | { kind: "strokes"; strokes: Stroke[] }
  | { kind: "curves"; x: number[]; ys: ArrayLike<number>[] }
  | { kind: "text"; text: string; large: boolean };

/** Fetches little: one plane of about the size of the canvas, or a few curves of 256 points. */
export async function small(client: Client, port: string, info: ValueInfo, size: number, signal: AbortSignal): Promise<Small> {
  const { value, hash } = info;
  const viewer = viewersFor(info)[0]!;
  if (viewer === "picture") {
    const leaf = leaves(value).find(isPicture);
    if (leaf) {
      const a = await client.array(port, hash, { path: leaf.path, axes: pictureAxes(leaf), max: 2 * size }, signal);
      const pixels = rgba(a);
      return { kind: "picture", pixels, aspect: pixels.width / pixels.height, flipH: false, flipV: false };
    }
  }
  if (viewer === "image" || viewer === "maps" || viewer === "volume") {
    const maps = viewer === "maps" ? mapsOf(value) : null;
    const leaf = maps?.entries[0]?.values ?? mainLeaf(info);
    if (leaf) return plane(client, port, hash, leaf, maps?.geometry ?? geometryOf(value), size, signal);
  }
  if (viewer === "trajectory") return { kind: "strokes", strokes: await pathStrokes(client, port, info, signal) };
  if (viewer === "scene") return { kind: "strokes", strokes: await sceneStrokes(client, port, info, signal) };
  if (viewer === "curves") return curves(client, port, info, signal);
  if (viewer === "number") {
    if (typeof value === "number") return { kind: "text", text: short(value), large: true };
    if (typeof value === "boolean") return { kind: "text", text: value ? "yes" : "no", large: true };
    if (isLeaf(value)) {
      const a = await client.array(port, hash, { path: value.path, axes: value.axes }, signal);
      return { kind: "text", text: a.complex ? `${short(a.data[0]!, 3)}+${short(a.data[1]!, 3)}i` : short(a.data[0]!), large: true };
    }
  }
  if (typeof value === "string") return { kind: "text", text: value.slice(0, 240), large: false };
  return { kind: "text", text: isRecord(value) ? info.type : info.describe, large: false };
}

async function plane(
  client: Client,
  port: string,
  hash: string,
  leaf: ArrayLeaf,
  geometry: ReturnType<typeof geometryOf>,
  size: number,
  signal: AbortSignal,
): Promise<Small> {
  const affine = geometry?.affine ?? null;
  const shown = upright(leaf, defaultAxes(leaf, affine !== null), affine);
  const at = completeIndices(leaf, shown);
  const max = Math.max(32, size * 2);
  const a = await client.array(port, hash, { path: leaf.path, axes: shown, at, max }, signal);
  const slice = slicesOf(a)[0]!;
  const part: Part = isComplex(leaf.dtype) ? "colour" : "real";
  const map = defaultMap(leaf, part);
  const window = map === "labels" ? { lo: 0, hi: 255 } : resolveWindow({ mode: "slice" }, part, map, null, () => valuesOf(slice, part));
  const pixels = new ImageData(colourise(slice, { part, map, window, gamma: 1 }), slice.width, slice.height);
  const { flipH, flipV } = orient(leaf, shown, affine);
  const [n0, n1] = shown.map((s) => leaf.shape[leaf.axes.indexOf(s)] ?? 1) as [number, number];
  const [dx, dy] = [spacingOf(leaf, shown[0], geometry) ?? 1, spacingOf(leaf, shown[1], geometry) ?? 1];
  return { kind: "picture", pixels, aspect: (n0 * dx) / (n1 * dy), flipH, flipV };
}

async function curves(client: Client, port: string, info: ValueInfo, signal: AbortSignal): Promise<Small> {
  const source = curveSource(info);
  if (source?.kind === "records") {
    const got = await Promise.all(source.curves.slice(0, 6).map((c) => curveNumbers(client, port, info.hash, c, signal)));
    return { kind: "curves", x: got[0]?.x ?? [], ys: got.map((g) => g.y) };
  }
  if (source) {
    const along = defaultAlong(source.leaf);
    const q = curveQuery(source.leaf, along, defaultFamily(source.leaf, along), {});
    const a = await client.array(port, info.hash, { ...q, max: 256 }, signal);
    const ys = curvesOf(a, "abs").slice(0, 8);
    return { kind: "curves", x: Array.from({ length: ys[0]?.length ?? 0 }, (_, i) => i), ys };
  }
  return { kind: "text", text: info.describe, large: false };
}

/** On the dark ground of pictures, with the same scale across and up. */
function paintStrokes(ctx: CanvasRenderingContext2D, strokes: readonly Stroke[], w: number, h: number, ratio: number): void {
  ctx.fillStyle = "#0b0d10";
  ctx.fillRect(0, 0, w, h);
  let [x0, x1, y0, y1] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const s of strokes) for (let i = 0; i < s.x.length; ++i) [x0, x1, y0, y1] = [Math.min(x0, s.x[i]!), Math.max(x1, s.x[i]!), Math.min(y0, s.y[i]!), Math.max(y1, s.y[i]!)];
  if (!(x1 >= x0)) return;
  const scale = Math.min((w - 12 * ratio) / (x1 - x0 || 1), (h - 12 * ratio) / (y1 - y0 || 1));
  const at = (s: Stroke, i: number) => [w / 2 + (s.x[i]! - (x0 + x1) / 2) * scale, h / 2 - (s.y[i]! - (y0 + y1) / 2) * scale] as const;
  ctx.lineWidth = 1.1 * ratio;
  ctx.lineJoin = ctx.lineCap = "round";
  for (const s of strokes) {
    ctx.strokeStyle = ctx.fillStyle = s.colour;
    ctx.beginPath();
    if (s.x.length === 1) {
      ctx.arc(...at(s, 0), 1.4 * ratio, 0, 2 * Math.PI);
      ctx.fill();
      continue;
    }
    s.x.forEach((_, i) => (i === 0 ? ctx.moveTo(...at(s, i)) : ctx.lineTo(...at(s, i))));
    ctx.stroke();
  }
}

export interface Ink {
  fg: string;
  muted: string;
  accents: string[];
}

/** Draws into the whole of a canvas, whose size is in device pixels. */
export function paint(canvas: HTMLCanvasElement, what: Small, ink: Ink, ratio: number): void {
  const ctx = canvas.getContext("2d")!;
  const { width: w, height: h } = canvas;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, w, h);
  if (what.kind === "picture") {
    const buffer = document.createElement("canvas");
    buffer.width = what.pixels.width;
    buffer.height = what.pixels.height;
    buffer.getContext("2d")!.putImageData(what.pixels, 0, 0);
    const narrow = Math.min(w, h * what.aspect);
    const tall = narrow / what.aspect;
    ctx.fillStyle = "#0b0d10";
    ctx.fillRect(0, 0, w, h);
    ctx.translate(w / 2, h / 2);
    ctx.scale(what.flipH ? -1 : 1, what.flipV ? -1 : 1);
    ctx.imageSmoothingEnabled = narrow < what.pixels.width;
    ctx.drawImage(buffer, -narrow / 2, -tall / 2, narrow, tall);
    return;
  }
  if (what.kind === "strokes") return paintStrokes(ctx, what.strokes, w, h, ratio);
  if (what.kind === "curves") {
    const values = what.ys.flatMap((y) => Array.from(y)).filter(Number.isFinite);
    const xs = what.x.filter(Number.isFinite);
    if (values.length === 0 || xs.length === 0) return;
    const [lo, hi] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    const [x0, x1] = [xs.reduce((a, b) => Math.min(a, b)), xs.reduce((a, b) => Math.max(a, b))];
    const pad = 5 * ratio;
    const sx = (v: number) => pad + ((v - x0) / (x1 - x0 || 1)) * (w - 2 * pad);
    const sy = (v: number) => h - pad - ((v - lo) / (hi - lo || 1)) * (h - 2 * pad);
    ctx.lineWidth = 1.4 * ratio;
    ctx.lineJoin = "round";
    what.ys.forEach((y, k) => {
      ctx.strokeStyle = ink.accents[k % ink.accents.length]!;
      ctx.beginPath();
      let pen = false;
      for (let i = 0; i < Math.min(y.length, what.x.length); ++i) {
        if (!Number.isFinite(y[i]!)) {
          pen = false;
          continue;
        }
        if (pen) ctx.lineTo(sx(what.x[i]!), sy(y[i]!));
        else ctx.moveTo(sx(what.x[i]!), sy(y[i]!));
        pen = true;
      }
      ctx.stroke();
    });
    return;
  }
  ctx.scale(ratio, ratio);
  const [cw, ch] = [w / ratio, h / ratio];
  ctx.fillStyle = what.large ? ink.fg : ink.muted;
  if (what.large) {
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.font = `600 ${Math.min(ch / 2.2, (1.5 * cw) / Math.max(3, what.text.length))}px "Inter Variable", system-ui, sans-serif`;
    ctx.fillText(what.text, cw / 2, ch / 2, cw - 8);
  } else {
    ctx.font = `9px "Inter Variable", system-ui, sans-serif`;
    ctx.textBaseline = "top";
    const lines = what.text.split("\n").slice(0, Math.floor((ch - 8) / 12));
    lines.forEach((line, i) => ctx.fillText(line.slice(0, Math.floor(cw / 4)), 5, 5 + 12 * i));
  }
}
