// SPDX-License-Identifier: Apache-2.0
import { complexRgb, mapTable, type MapName } from "../maths/colour.ts";
import { partOf } from "../maths/parts.ts";
import { windowed, type Window } from "../maths/window.ts";
import type { Part } from "../types.ts";
import { sample, type Slice } from "./slice.ts";

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

/** RGBA pixels of a slice, as the shader draws them; NaN is transparent. For thumbnails and for checking the shader. */
export function colourise(slice: Slice, look: Look): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(slice.width * slice.height * 4);
  const table = mapTable(look.map);
  const real = !slice.complex;
  for (let j = 0, p = 0; j < slice.height; ++j) {
    for (let i = 0; i < slice.width; ++i, p += 4) {
      const [re, im] = sample(slice, i, j);
      const value = real && look.part !== "abs" ? re : partOf(re, im, look.part);
      if (Number.isNaN(value)) continue;
      const t = windowed(value, look.window, look.gamma);
      if (look.part === "colour" && slice.complex) {
        const rgb = complexRgb(re, im, t);
        for (let c = 0; c < 3; ++c) out[p + c] = 255 * rgb[c]!;
      } else {
        const entry = look.map === "labels" ? labelEntry(value) : Math.round(255 * t);
        for (let c = 0; c < 3; ++c) out[p + c] = table[4 * entry + c]!;
      }
      out[p + 3] = 255;
    }
  }
  return out;
}
