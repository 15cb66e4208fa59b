// SPDX-License-Identifier: Apache-2.0
// What the page of shader.test.ts runs: a slice drawn by the shader, and its pixels.
import { colourise, type Look } from "../../src/image/colourise.ts";
import { Renderer, type CompareMode } from "../../src/image/renderer.ts";
import type { Slice } from "../../src/image/slice.ts";

let count = 0;
const slice = (values: number[], width: number, complex: boolean): Slice => {
  const floats = Float32Array.from(values);
  return { key: `${count++}`, width, height: values.length / width / (complex ? 2 : 1), complex, floats, elements: floats, step: [1, 1] };
};
let renderer: Renderer | null = null;
let plain: Renderer | null = null;

export interface Ask {
  a: number[];
  b?: number[];
  width: number;
  complex: boolean;
  complexB?: boolean;
  look: Look;
  lookB?: Look;
  mode?: CompareMode;
  smooth?: boolean;
  flipH?: boolean;
  flipV?: boolean;
  wipe?: number;
  opacity?: number;
  zoom?: number;
  /** As it is drawn where WebGL runs on the CPU. */
  software?: boolean;
}

const numbers = (list: (number | string)[]) => list.map(Number); // NaN and infinities travel as texts

export function draw(ask: Ask): { shader: number[]; cpu: number[] } {
  renderer ??= new Renderer(true);
  plain ??= new Renderer();
  const a = slice(numbers(ask.a), ask.width, ask.complex);
  const b = ask.b ? slice(numbers(ask.b), ask.width, ask.complexB ?? ask.complex) : null;
  const k = ask.zoom ?? 1;
  const canvas = document.createElement("canvas");
  canvas.width = a.width * k;
  canvas.height = a.height * k;
  const ctx = canvas.getContext("2d", { willReadFrequently: true })!;
  (ask.software ? plain : renderer).draw(ctx, canvas.width, canvas.height, {
    tiles: [{ a, b, x: 0, y: 0, width: canvas.width, height: canvas.height }],
    flipH: ask.flipH ?? false,
    flipV: ask.flipV ?? false,
    look: ask.look,
    lookB: ask.lookB,
    mode: ask.mode ?? "single",
    wipe: ask.wipe ?? 0.5,
    opacity: ask.opacity ?? 0.5,
    smooth: ask.smooth ?? false,
  });
  return {
    shader: Array.from(ctx.getImageData(0, 0, canvas.width, canvas.height).data),
    cpu: Array.from(colourise(a, ask.look)),
  };
}

/** The least milliseconds for a frame, each a new plane of n x n complex numbers that has to be sent to the device. */
export function time(n: number, frames: number, software = false): number {
  const used = (software ? (plain ??= new Renderer()) : (renderer ??= new Renderer(true)));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 512;
  const ctx = canvas.getContext("2d", { willReadFrequently: true })!;
  const wave = Float32Array.from({ length: 2 * n * n }, (_, i) => Math.sin(i));
  const look: Look = { part: "colour", map: "grey", window: { lo: 0, hi: 1 }, gamma: 1 };
  let least = Infinity;
  for (let f = 0; f < frames; ++f) {
    const floats = wave.map((v) => v * (1 - f / frames));
    const a: Slice = { key: `time ${software} ${f}`, width: n, height: n, complex: true, floats, elements: floats, step: [1, 1] };
    const begin = performance.now();
    used.draw(ctx, 512, 512, { tiles: [{ a, x: 0, y: 0, width: 512, height: 512 }], flipH: false, flipV: false, look, mode: "single", wipe: 0, opacity: 0, smooth: false });
    ctx.getImageData(0, 0, 1, 1); // waits until it is drawn
    least = Math.min(least, performance.now() - begin);
  }
  return least;
}
