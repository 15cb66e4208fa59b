// SPDX-License-Identifier: Apache-2.0
import { hueRgb, mapTable, phaseHue } from "../maths/colour.ts";
import type { Orientation } from "../maths/geometry.ts";
import type { Line } from "../maths/profile.ts";
import { unroll, type Roi } from "../maths/roi.ts";
import { short, ticks } from "../maths/window.ts";
import type { Look } from "./colourise.ts";
import type { Layout } from "./layout.ts";

/** Everything here is in CSS pixels; the caller has scaled the context to the device. */
type Ctx = CanvasRenderingContext2D;

export const roiColours = ["#ffb000", "#4dd2ff", "#5ee27a", "#ff7ab8", "#c9a2ff", "#f5f06a"];
const ink = "#e8eaed";
const font = (size: number) => `${size}px "Inter Variable", system-ui, sans-serif`;

function label(ctx: Ctx, text: string, x: number, y: number, colour = ink): void {
  ctx.lineWidth = 3;
  ctx.lineJoin = "round";
  ctx.strokeStyle = "rgba(0,0,0,.75)";
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

export function drawLetters(ctx: Ctx, o: Orientation, width: number, height: number): void {
  if (!o.left) return;
  ctx.font = `600 ${font(12)}`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  label(ctx, o.left, 6, height / 2);
  ctx.textAlign = "right";
  label(ctx, o.right, width - 6, height / 2);
  ctx.textAlign = "center";
  label(ctx, o.top, width / 2, 12);
  label(ctx, o.bottom, width / 2, height - 11);
}

/** What is beside the picture: width it takes, names of labels when there are some. */
export interface Legend {
  largest: number;
  names?: readonly string[] | undefined;
}
export const barWidth = (part: string, legend: Legend, width: number): number =>
  width < 220 ? 0 : legend.names ? 106 : part === "colour" ? 76 : 72;

/** Colour bar with ticks and unit at the right edge; for complex colour the ring and a bar of the magnitude. */
export function drawBar(ctx: Ctx, look: Look, complex: boolean, unit: string, legend: Legend, right: number, height: number): void {
  const coloured = look.part === "colour" && complex;
  const wide = barWidth(look.part, legend, Infinity);
  const x = right - wide + 8;
  if (look.map === "labels") return drawLabels(ctx, legend, x, height);
  let top = 22;
  const bottom = Math.max(top + 20, height - 14);
  if (coloured) {
    drawRing(ctx, x + 30, 46, 19);
    top = 104;
  }
  const tall = bottom - top;
  if (tall < 30) return;
  ctx.font = font(10.5);
  ctx.textBaseline = "alphabetic";
  ctx.textAlign = "left";
  ctx.fillStyle = "#aeb4bd";
  ctx.fillText(look.part === "phase" ? "deg" : unit, x, top - 8, wide - 14);
  const table = mapTable(coloured ? "grey" : look.map);
  for (let y = 0; y < tall; ++y) {
    const t = (1 - y / (tall - 1)) ** look.gamma;
    const e = 4 * Math.round(255 * Math.min(1, Math.max(0, t)));
    ctx.fillStyle = `rgb(${table[e]},${table[e + 1]},${table[e + 2]})`;
    ctx.fillRect(x, top + y, 12, 1.5);
  }
  ctx.strokeStyle = "rgba(255,255,255,.28)";
  ctx.lineWidth = 1;
  ctx.strokeRect(x - 0.5, top - 0.5, 13, tall + 1);
  ctx.textBaseline = "middle";
  ctx.fillStyle = ink;
  const factor = look.part === "phase" ? 180 / Math.PI : 1;
  const { lo, hi } = { lo: look.window.lo * factor, hi: look.window.hi * factor };
  const fullTurn = look.part === "phase" && Math.abs(hi - 180) < 1e-6 && Math.abs(lo + 180) < 1e-6;
  for (const v of fullTurn ? [-180, -90, 0, 90, 180] : ticks(lo, hi, Math.max(2, Math.floor(tall / 36)))) {
    const y = bottom - ((v - lo) / (hi - lo)) * tall;
    ctx.fillRect(x + 12, y - 0.5, 4, 1);
    ctx.fillText(short(v), x + 19, y, wide - 27);
  }
}

let bars: { key: string; canvas: HTMLCanvasElement }[] = [];
/** drawBar() kept as pixels: a cine draws it at every frame, and it is hundreds of strokes. Drawn at the device's pixels. */
export function stampBar(ctx: Ctx, look: Look, complex: boolean, unit: string, legend: Legend, width: number, height: number, ratio: number): void {
  const wide = barWidth(look.part, legend, Infinity);
  const key = JSON.stringify([look, complex, unit, legend.largest, legend.names, height, ratio]);
  let found = bars.find((b) => b.key === key);
  if (!found) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(wide * ratio);
    canvas.height = Math.ceil(height * ratio);
    const own = canvas.getContext("2d")!;
    own.scale(ratio, ratio);
    drawBar(own, look, complex, unit, legend, wide, height);
    bars = [...bars, (found = { key, canvas })].slice(-12);
  }
  ctx.save();
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.drawImage(found.canvas, Math.round((width - wide) * ratio), 0);
  ctx.restore();
}

/** A square of colour for each label up to the largest; as many as there is room for. */
function drawLabels(ctx: Ctx, { largest, names }: Legend, x: number, height: number): void {
  const table = mapTable("labels");
  const room = Math.floor((height - 24) / 17);
  ctx.font = font(10.5);
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  for (let n = 1; n <= Math.min(largest, 255, room); ++n) {
    const y = 20 + 17 * (n - 1);
    ctx.fillStyle = `rgb(${table.slice(4 * n, 4 * n + 3).join(",")})`;
    ctx.fillRect(x, y, 11, 11);
    ctx.fillStyle = ink;
    ctx.fillText(n === room && largest > n ? "…" : (names?.[n] ?? String(n)), x + 17, y + 6);
  }
}

/** The colour of each phase, with the four angles that have a name. */
export function drawRing(ctx: Ctx, cx: number, cy: number, radius: number): void {
  const n = 120;
  ctx.lineWidth = 8;
  for (let k = 0; k < n; ++k) {
    const angle = (2 * Math.PI * k) / n;
    const rgb = hueRgb(phaseHue(angle)).map((v) => Math.round(255 * v));
    ctx.strokeStyle = `rgb(${rgb.join(",")})`;
    ctx.beginPath();
    ctx.arc(cx, cy, radius - 4, -angle - Math.PI / n - 0.01, -angle + Math.PI / n + 0.01);
    ctx.stroke();
  }
  ctx.font = font(9.5);
  ctx.fillStyle = ink;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  ctx.fillText("0°", cx + radius + 3, cy);
  ctx.textAlign = "right";
  ctx.fillText("180", cx - radius - 2, cy);
  ctx.textAlign = "center";
  ctx.fillText("+90", cx, cy - radius - 8);
  ctx.fillText("−90", cx, cy + radius + 8);
}

export function drawTileLabel(ctx: Ctx, text: string, x: number, y: number): void {
  ctx.font = font(10.5);
  ctx.textBaseline = "top";
  ctx.textAlign = "left";
  label(ctx, text, x + 4, y + 4);
}

export function drawCross(ctx: Ctx, layout: Layout, tile: number, i: number, j: number): void {
  const [x, y] = layout.toScreen(tile, i, j);
  const t = layout.tile(tile);
  ctx.strokeStyle = "rgba(120,220,255,.75)";
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const [x0, y0, x1, y1] of [
    [t.x, y, x - 7, y],
    [x + 7, y, t.x + t.width, y],
    [x, t.y, x, y - 7],
    [x, y + 7, x, t.y + t.height],
  ] as const) {
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
  }
  ctx.stroke();
}

export function drawSeam(ctx: Ctx, x: number, y: number, height: number, names: [string, string]): void {
  ctx.strokeStyle = "rgba(255,255,255,.9)";
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(x, y);
  ctx.lineTo(x, y + height);
  ctx.stroke();
  ctx.fillStyle = "#fff";
  ctx.beginPath();
  ctx.arc(x, y + height / 2, 5, 0, 2 * Math.PI);
  ctx.fill();
  ctx.font = font(11);
  ctx.textBaseline = "top";
  ctx.textAlign = "right";
  label(ctx, names[0], x - 8, y + 20);
  ctx.textAlign = "left";
  label(ctx, names[1], x + 8, y + 20);
}

function handle(ctx: Ctx, x: number, y: number): void {
  ctx.fillRect(x - 3, y - 3, 6, 6);
}

export function drawRoi(ctx: Ctx, layout: Layout, tile: number, roi: Roi, k: number, open = false): void {
  const colour = roiColours[k % roiColours.length]!;
  const at = (i: number, j: number) => layout.toScreen(tile, i, j);
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  const box = unroll(roi);
  const [ax, ay] = at(box.x0, box.y0);
  const [bx, by] = at(box.x1, box.y1);
  if (roi.kind === "rect") ctx.rect(Math.min(ax, bx), Math.min(ay, by), Math.abs(bx - ax), Math.abs(by - ay));
  else if (roi.kind === "ellipse") {
    ctx.ellipse((ax + bx) / 2, (ay + by) / 2, Math.abs(bx - ax) / 2, Math.abs(by - ay) / 2, 0, 0, 2 * Math.PI);
  } else {
    roi.points.forEach(([i, j], n) => (n === 0 ? ctx.moveTo(...at(i, j)) : ctx.lineTo(...at(i, j))));
    if (!open) ctx.closePath();
  }
  ctx.stroke();
  ctx.globalAlpha = 0.1;
  if (!open) ctx.fill();
  ctx.globalAlpha = 1;
  if (roi.kind === "polygon") roi.points.forEach(([i, j]) => handle(ctx, ...at(i, j)));
  else {
    handle(ctx, ax, ay);
    handle(ctx, bx, by);
  }
  ctx.font = `600 ${font(11)}`;
  ctx.textAlign = "left";
  ctx.textBaseline = "bottom";
  label(ctx, String(k + 1), Math.min(ax, bx), Math.min(ay, by) - 3, colour);
}

export function drawLine(ctx: Ctx, layout: Layout, tile: number, line: Line): void {
  const [ax, ay] = layout.toScreen(tile, line.x0, line.y0);
  const [bx, by] = layout.toScreen(tile, line.x1, line.y1);
  ctx.strokeStyle = ctx.fillStyle = "#ffe14d";
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(ax, ay);
  ctx.lineTo(bx, by);
  ctx.stroke();
  handle(ctx, ax, ay);
  handle(ctx, bx, by);
}
