// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { position } from "../../src/maths/geometry.ts";
import { decimatedAffine, nifti } from "../../src/maths/nifti.ts";

const affine = [
  [-2, 0, 0.1, 90],
  [0, 2, 0, -126],
  [0, 0.2, 3, -72],
  [0, 0, 0, 1],
];

describe("NIfTI in memory", () => {
  const data = new Int16Array([1, -2, 3, 4, 5, 6]);
  const file = nifti([3, 2, 1], "i16", data.buffer, affine);
  const head = new DataView(file);
  it("has the header of NIfTI-1 (nifti1.h), byte by byte where readers look", () => {
    expect(head.getInt32(0, true)).toBe(348);
    expect([0, 1, 2, 3, 4].map((k) => head.getInt16(40 + 2 * k, true))).toEqual([3, 3, 2, 1, 1]);
    expect([head.getInt16(70, true), head.getInt16(72, true)]).toEqual([4, 16]); // DT_INT16
    expect(head.getFloat32(108, true)).toBe(352);
    expect([head.getFloat32(112, true), head.getFloat32(116, true)]).toEqual([1, 0]);
    expect(String.fromCharCode(...new Uint8Array(file, 344, 4))).toBe("n+1\0");
    expect(head.getUint32(348, true)).toBe(0);
  });
  it("carries the affine in the s-form and its column lengths in pixdim", () => {
    expect(head.getInt16(254, true)).toBe(1);
    affine.slice(0, 3).forEach((row, r) => row.forEach((v, c) => expect(head.getFloat32(280 + 16 * r + 4 * c, true)).toBeCloseTo(v, 5)));
    expect(head.getFloat32(80, true)).toBeCloseTo(2, 6);
    expect(head.getFloat32(84, true)).toBeCloseTo(Math.hypot(2, 0.2), 6);
  });
  it("gives the elements back", () => {
    expect(Array.from(new Int16Array(file.slice(352)))).toEqual([1, -2, 3, 4, 5, 6]);
  });
});

it("a decimated grid has its voxels where the whole one had them", () => {
  const step = [2, 3, 4];
  const coarse = decimatedAffine(affine, step);
  position(coarse, [5, 6, 7]).forEach((v, c) => expect(v).toBeCloseTo(position(affine, [10, 18, 28])[c]!, 9));
});
