// SPDX-License-Identifier: Apache-2.0
import type { ArrayData } from "../api/client.ts";
import type { Elements } from "../api/decode.ts";
import { partOf } from "../maths/parts.ts";
import type { Plane } from "../maths/roi.ts";
import type { Part } from "../types.ts";

/** One plane as it is drawn: floats for the texture (re, im interleaved when complex), the elements for the read-out. */
export interface Slice {
  key: string;
  width: number;
  height: number;
  complex: boolean;
  floats: Float32Array;
  elements: Elements;
  step: [number, number];
}

const made = new WeakMap<ArrayData, Slice[]>();

/** Planes of an answer with two axes (one plane) or three (one for each index of the last). Made once for each answer. */
export function slicesOf(array: ArrayData): Slice[] {
  let slices = made.get(array);
  if (!slices) {
    const [width, height, count] = [array.shape[0] ?? 1, array.shape[1] ?? 1, array.shape[2] ?? 1];
    const size = width * height * (array.complex ? 2 : 1);
    slices = Array.from({ length: count }, (_, k) => {
      const elements = array.data.subarray(k * size, (k + 1) * size) as Elements;
      return {
        key: `${array.key}#${k}`,
        width,
        height,
        complex: array.complex,
        floats: elements instanceof Float32Array ? elements : Float32Array.from(elements),
        elements,
        step: [array.step[0] ?? 1, array.step[1] ?? 1],
      };
    });
    made.set(array, slices);
  }
  return slices;
}

/** (re, im) of a sample; im is 0 for real arrays. */
export function sample(slice: Slice, i: number, j: number): [number, number] {
  const n = j * slice.width + i;
  return slice.complex ? [slice.elements[2 * n]!, slice.elements[2 * n + 1]!] : [slice.elements[n]!, 0];
}

export function planeOf(slice: Slice, part: Part): Plane {
  return {
    width: slice.width,
    height: slice.height,
    step: slice.step,
    value: slice.complex
      ? (i, j) => partOf(...sample(slice, i, j), part)
      : part === "abs"
        ? (i, j) => Math.abs(slice.elements[j * slice.width + i]!)
        : (i, j) => slice.elements[j * slice.width + i]!,
  };
}

/** All values of the part, for windows and histograms. */
export function valuesOf(slice: Slice, part: Part): ArrayLike<number> {
  if (!slice.complex && part !== "abs") return slice.elements;
  const plane = planeOf(slice, part);
  const out = new Float64Array(slice.width * slice.height);
  for (let j = 0, n = 0; j < slice.height; ++j) for (let i = 0; i < slice.width; ++i) out[n++] = plane.value(i, j);
  return out;
}
