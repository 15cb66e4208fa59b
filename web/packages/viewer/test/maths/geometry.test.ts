// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { affineOf, columnLength, ends, orient, position, spacingOf, upright, voxel } from "../../src/maths/geometry.ts";

const leaf = { axes: ["x", "y", "z", "t"] };
const ras = affineOf([1, 0, 0, -10, 0, 2, 0, -20, 0, 0, 3, -30, 0, 0, 0, 1])!;
const lps = affineOf([[-1, 0, 0, 10], [0, -2, 0, 20], [0, 0, 3, -30], [0, 0, 0, 1]])!;
// Sagittal: x runs to the back, y to the feet, z to the right.
const sagittal = affineOf([[0, 0, 4, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])!;

describe("affine", () => {
  it("is read from 16 numbers or 4 x 4, and refused otherwise", () => {
    expect(ras[1]).toEqual([0, 2, 0, -20]);
    expect(affineOf([1, 2, 3])).toBeNull();
    expect(affineOf(new Array(16).fill(0))).toBeNull();
    expect(affineOf(undefined)).toBeNull();
  });
  it("there and back is the same voxel, oblique ones too", () => {
    const c = Math.cos(0.4);
    const s = Math.sin(0.4);
    const oblique = affineOf([[2 * c, -s, 0.1, 5], [2 * s, c, 0.2, 6], [0, 0.3, 3, 7], [0, 0, 0, 1]])!;
    for (const a of [ras, lps, sagittal, oblique]) {
      voxel(a, position(a, [3, 4, 5])).forEach((v, i) => expect(v).toBeCloseTo([3, 4, 5][i]!, 10));
    }
    expect(columnLength(oblique, 0)).toBeCloseTo(2, 12);
  });
  it("knows where its columns run", () => {
    expect([0, 1, 2].map((c) => ends(ras, c).join(""))).toEqual(["LR", "PA", "IS"]);
    expect([0, 1, 2].map((c) => ends(lps, c).join(""))).toEqual(["RL", "AP", "IS"]);
    expect([0, 1, 2].map((c) => ends(sagittal, c).join(""))).toEqual(["AP", "SI", "LR"]);
  });
});

describe("radiological view", () => {
  it("has the patient's right at the left and the front or head at the top, however the file was stored", () => {
    for (const a of [ras, lps]) {
      expect(orient(leaf, ["x", "y"], a)).toMatchObject({ left: "R", right: "L", top: "A", bottom: "P" });
      expect(orient(leaf, ["x", "z"], a)).toMatchObject({ left: "R", right: "L", top: "S", bottom: "I" });
    }
    expect(orient(leaf, ["x", "y"], ras)).toMatchObject({ flipH: true, flipV: true });
    expect(orient(leaf, ["x", "y"], lps)).toMatchObject({ flipH: false, flipV: false });
    expect(orient(leaf, ["x", "y"], sagittal)).toMatchObject({ left: "A", right: "P", top: "S", bottom: "I", flipH: false, flipV: false });
  });
  it("puts the upright axis upright", () => {
    expect(upright(leaf, ["z", "y"], ras)).toEqual(["y", "z"]);
    expect(upright(leaf, ["x", "y"], ras)).toEqual(["x", "y"]);
    expect(upright(leaf, ["x", "t"], ras)).toEqual(["x", "t"]);
  });
  it("says nothing where there is nothing to say", () => {
    expect(orient(leaf, ["x", "t"], ras).left).toBe("");
    expect(orient(leaf, ["x", "y"], null)).toEqual({ flipH: false, flipV: false, left: "", right: "", top: "", bottom: "" });
    expect(spacingOf(leaf, "t", { affine: ras, spacing: [1, 2, 3] })).toBeNull();
    expect(spacingOf(leaf, "y", { affine: ras, spacing: [1, 2, 3] })).toBe(2);
    expect(spacingOf(leaf, "y", null)).toBeNull();
  });
});
