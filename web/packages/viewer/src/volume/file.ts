// SPDX-License-Identifier: Apache-2.0
import type { ArrayData, ArrayQuery } from "../api/client.ts";
import { completeIndices, type Indices } from "../maths/axes.ts";
import type { Affine } from "../maths/geometry.ts";
import { decimatedAffine, nifti, type NiftiDtype } from "../maths/nifti.ts";
import { autoWindow, type Window } from "../maths/window.ts";
import { isComplex, type Elements } from "../api/decode.ts";
import type { ArrayLeaf } from "../types.ts";

/** One volume as a NIfTI file in memory. */
export interface VolumeFile {
  buffer: ArrayBuffer;
  values: Elements;
  step: number[];
}

// 256 a side are 64 MB of floats: what a 3D texture holds everywhere, and more than the planes show.
const most = 256;

export function volumeQuery(leaf: ArrayLeaf, at: Indices): ArrayQuery {
  const axes = leaf.axes.slice(0, 3);
  return {
    path: leaf.path,
    axes,
    at: completeIndices(leaf, axes, at),
    max: most,
    ...(isComplex(leaf.dtype) ? { part: "abs" as const } : {}),
    ...(leaf.dtype === "f64" ? { dtype: "f32" as const } : {}),
  };
}

const names: Record<string, NiftiDtype> = { bool: "u8", boolean: "u8", u8: "u8", i16: "i16", i32: "i32", f32: "f32", f64: "f64" };

/** The answer as a NIfTI file, all its axes. */
export function niftiOf(a: ArrayData, affine: Affine): ArrayBuffer {
  const bytes = new Uint8Array(a.data.buffer, a.data.byteOffset, a.data.byteLength);
  const shape = [...a.shape, 1, 1, 1].slice(0, Math.max(3, a.shape.length));
  return nifti(shape, names[a.dtype] ?? "f32", bytes, decimatedAffine(affine, a.step));
}

export const volumeFile = (a: ArrayData, affine: Affine): VolumeFile => ({ buffer: niftiOf(a, affine), values: a.data, step: a.step });

export const volumeWindow = (file: VolumeFile): Window => autoWindow(file.values);
