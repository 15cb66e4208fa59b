// SPDX-License-Identifier: Apache-2.0
import type { Affine } from "./geometry.ts";

const codes = { u8: [2, 8], i16: [4, 16], i32: [8, 32], f32: [16, 32], f64: [64, 64] } as const;
export type NiftiDtype = keyof typeof codes;

/**
 * Single-file NIfTI-1 in memory: 348-byte header, 4 bytes that say "no extension", then the elements, first axis
 * fastest. The affine goes into the s-form (code 1, scanner); pixdim holds its column lengths.
 */
export function nifti(shape: readonly number[], dtype: NiftiDtype, data: ArrayBuffer | Uint8Array, affine: Affine): ArrayBuffer {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const file = new ArrayBuffer(352 + bytes.byteLength);
  const head = new DataView(file);
  const [code, bits] = codes[dtype];
  head.setInt32(0, 348, true);
  head.setInt16(40, shape.length, true);
  for (let i = 0; i < 7; ++i) head.setInt16(42 + 2 * i, shape[i] ?? 1, true);
  head.setInt16(70, code, true);
  head.setInt16(72, bits, true);
  head.setFloat32(76, 1, true); // qfac
  for (let c = 0; c < 3; ++c) {
    head.setFloat32(80 + 4 * c, Math.hypot(affine[0]![c]!, affine[1]![c]!, affine[2]![c]!), true);
  }
  for (let i = 3; i < 7; ++i) head.setFloat32(80 + 4 * i, 1, true);
  head.setFloat32(108, 352, true); // vox_offset
  head.setFloat32(112, 1, true); // scl_slope
  head.setUint8(123, 2 | 8); // mm, s
  head.setInt16(254, 1, true); // sform_code
  for (let r = 0; r < 3; ++r) {
    for (let c = 0; c < 4; ++c) head.setFloat32(280 + 16 * r + 4 * c, affine[r]![c]!, true);
  }
  [..."n+1"].forEach((ch, i) => head.setUint8(344 + i, ch.charCodeAt(0)));
  new Uint8Array(file).set(bytes, 352);
  return file;
}

/** Affine of an array that was decimated by `step`: columns grow, the first voxel stays where it is. */
export function decimatedAffine(affine: Affine, step: readonly number[]): Affine {
  return affine.map((row, r) => (r < 3 ? row.map((v, c) => (c < 3 ? v * (step[c] ?? 1) : v)) : [...row]));
}
