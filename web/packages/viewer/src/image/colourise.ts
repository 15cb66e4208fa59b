// SPDX-License-Identifier: Apache-2.0
import { hueRgb, mapTable, phaseHue, type MapName } from "../maths/colour.ts";
import type { Window } from "../maths/window.ts";
import type { Part } from "../types.ts";
import type { Slice } from "./slice.ts";

export interface Look {
  part: Part;
  map: MapName;
  window: Window;
  gamma: number;
}

/** Table entry of a label: 0 is the background, the others go round after 255. */
export const labelEntry = (value: number): number => {
  const n = Math.round(value);
  return n <= 0 ? 0 : ((n - 1) % 255) + 1;
};

// Hues of a full turn, finely enough that a step is under one of 256 levels.
const turns = 2048;
let ring: Float32Array | null = null;
function hues(): Float32Array {
  if (ring) return ring;
  ring = new Float32Array(3 * (turns + 1));
  for (let k = 0; k <= turns; ++k) ring.set(hueRgb(phaseHue(((2 * k) / turns - 1) * Math.PI)), 3 * k);
  return ring;
}

const valueOf: Record<Exclude<Part, "colour">, (re: number, im: number) => number> = {
  real: (re) => re,
  imag: (_, im) => im,
  abs: (re, im) => Math.sqrt(re * re + im * im),
  phase: (re, im) => (re === 0 && im === 0 ? 0 : Math.atan2(im, re)),
};

/** RGBA pixels of a slice, as the shader draws them; NaN is transparent. For thumbnails, and where there is no GPU. */
export function colourise(slice: Slice, look: Look): Uint8ClampedArray<ArrayBuffer> {
  const { elements, complex, width, height } = slice;
  const count = width * height;
  const out = new Uint8ClampedArray(count * 4);
  const { lo, hi } = look.window;
  const { gamma } = look;
  const scale = hi > lo ? 1 / (hi - lo) : 0;
  /** 0..1 in the window. A window of no width is a threshold. */
  const shade = (v: number): number => {
    const t = scale > 0 ? (v - lo) * scale : v > lo ? 1 : 0;
    const c = t < 0 ? 0 : t > 1 ? 1 : t;
    return gamma === 1 ? c : c ** gamma;
  };
  if (complex && look.part === "colour") {
    const table = hues();
    for (let n = 0, p = 0; n < count; ++n, p += 4) {
      const re = elements[2 * n]!, im = elements[2 * n + 1]!;
      const size = Math.sqrt(re * re + im * im);
      if (size !== size) continue;
      const bright = 255 * shade(size);
      const at = 3 * Math.round((Math.atan2(im, re) / (2 * Math.PI) + 0.5) * turns);
      out[p] = bright * table[at]!;
      out[p + 1] = bright * table[at + 1]!;
      out[p + 2] = bright * table[at + 2]!;
      out[p + 3] = 255;
    }
    return out;
  }
  const table = mapTable(look.map);
  const labels = look.map === "labels";
  const part = look.part === "colour" ? "abs" : look.part;
  const of = complex ? valueOf[part] : part === "abs" && look.part === "abs" ? Math.abs : (v: number) => v;
  for (let n = 0, p = 0; n < count; ++n, p += 4) {
    const v = complex ? of(elements[2 * n]!, elements[2 * n + 1]!) : of(elements[n]!, 0);
    if (v !== v) continue;
    const entry = 4 * (labels ? labelEntry(v) : Math.round(255 * shade(v)));
    out[p] = table[entry]!;
    out[p + 1] = table[entry + 1]!;
    out[p + 2] = table[entry + 2]!;
    out[p + 3] = 255;
  }
  return out;
}
