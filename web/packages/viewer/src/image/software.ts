// SPDX-License-Identifier: Apache-2.0
import { Lru } from "../api/lru.ts";
import { colourise, type Look } from "./colourise.ts";
import type { Slice } from "./slice.ts";
import type { Drawing } from "./renderer.ts";

interface Painted {
  canvas: HTMLCanvasElement;
  holes: boolean;
}

/** Pixels are kept for the way back and for cine: 64 MB hold 250 frames of 256 x 256. */
const kept = new Lru<Painted>(64 * 2 ** 20);

function painted(slice: Slice, look: Look): Painted {
  const key = `${slice.key} ${look.part} ${look.map} ${look.window.lo} ${look.window.hi} ${look.gamma}`;
  const old = kept.get(key);
  if (old) return old;
  const canvas = document.createElement("canvas");
  canvas.width = slice.width;
  canvas.height = slice.height;
  const pixels = colourise(slice, look);
  let holes = false;
  for (let p = 3; p < pixels.length && !holes; p += 4) holes = pixels[p] === 0;
  canvas.getContext("2d")!.putImageData(new ImageData(pixels, slice.width, slice.height), 0, 0);
  const made = { canvas, holes };
  kept.set(key, made, pixels.length);
  return made;
}

let hatching: CanvasPattern | null = null;
/** Slanted stripes where there is no number, as the shader has them. */
function hatch(ctx: CanvasRenderingContext2D): CanvasPattern {
  if (hatching) return hatching;
  const c = document.createElement("canvas");
  c.width = c.height = 10;
  const g = c.getContext("2d")!;
  for (let y = 0; y < 10; ++y) for (let x = 0; x < 10; ++x) {
    g.fillStyle = (x + 10 - y) % 10 < 5 ? "#333840" : "#1f2126";
    g.fillRect(x, y, 1, 1);
  }
  return (hatching = ctx.createPattern(c, "repeat")!);
}

/**
 * Whether a drawing is one that needs no shader: single planes, not smoothed, and not many more samples than pixels
 * that are seen. Where WebGL itself runs on the CPU this costs a tenth: samples are coloured once, not at every pixel
 * and frame, and nothing goes to another process and back.
 */
export function isPlain(d: Drawing): boolean {
  return d.mode === "single" && !d.smooth && d.tiles.every((t) => !t.b && t.a.width * t.a.height <= 4 * Math.max(1, t.width * t.height) + 65536);
}

/** Draws into the rectangle (0, 0, width, height) of the target, which is cleared first. */
export function drawPlain(ctx: CanvasRenderingContext2D, width: number, height: number, d: Drawing): void {
  ctx.clearRect(0, 0, width, height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, width, height);
  ctx.clip();
  ctx.imageSmoothingEnabled = false;
  for (const t of d.tiles) {
    if (t.x >= width || t.y >= height || t.x + t.width <= 0 || t.y + t.height <= 0) continue;
    const { canvas, holes } = painted(t.a, d.look);
    if (holes) {
      ctx.fillStyle = hatch(ctx);
      ctx.fillRect(t.x, t.y, t.width, t.height);
    }
    ctx.setTransform(d.flipH ? -1 : 1, 0, 0, d.flipV ? -1 : 1, d.flipH ? 2 * t.x + t.width : 0, d.flipV ? 2 * t.y + t.height : 0);
    ctx.drawImage(canvas, t.x, t.y, t.width, t.height);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
  }
  ctx.restore();
}
