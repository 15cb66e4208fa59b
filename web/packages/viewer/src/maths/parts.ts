// SPDX-License-Identifier: Apache-2.0
import type { Part } from "../types.ts";

/** A number for the window and the read-out: colour is windowed by its magnitude. */
export function partOf(re: number, im: number, part: Part): number {
  switch (part) {
    case "real":
      return re;
    case "imag":
      return im;
    case "phase":
      return Number.isNaN(re) || Number.isNaN(im) ? NaN : Math.atan2(im, re);
    case "abs":
    case "colour":
      return Math.hypot(re, im);
  }
}

export const partTitles: Record<Part, string> = {
  real: "Real",
  imag: "Imaginary",
  abs: "Magnitude",
  phase: "Phase",
  colour: "Complex colour",
};
export const complexParts: readonly Part[] = ["abs", "phase", "real", "imag", "colour"];
