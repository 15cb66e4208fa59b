// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { ArrayData } from "../../src/api/client.ts";
import { colourise, labelEntry } from "../../src/image/colourise.ts";
import { defaultMap, looksLikeLabels, resolveWindow } from "../../src/image/options.ts";
import { planeOf, slicesOf, valuesOf } from "../../src/image/slice.ts";
import type { ArrayLeaf } from "../../src/types.ts";

const answer = (data: ArrayData["data"], shape: number[], complex = false): ArrayData => ({ data, shape, complex, dtype: complex ? "c64" : "f32", axes: [], step: shape.map(() => 1), hash: "", key: "k" });
const leaf = (change: Partial<ArrayLeaf>): ArrayLeaf => ({ array: true, path: "", dtype: "f32", shape: [4], axes: ["x"], ...change });

describe("slices", () => {
  it("of an answer with three axes are its planes, without a copy of floats", () => {
    const data = Float32Array.from({ length: 24 }, (_, i) => i);
    const slices = slicesOf(answer(data, [4, 3, 2]));
    expect(slices).toHaveLength(2);
    expect(planeOf(slices[1]!, "real").value(1, 2)).toBe(12 + 2 * 4 + 1);
    expect(slices[1]!.floats.buffer).toBe(data.buffer);
    expect(slices[0]!.key).not.toBe(slices[1]!.key);
  });
  it("parts of a complex number obey its laws", () => {
    const s = slicesOf(answer(Float32Array.of(3, 4, -1, 0, 0, -2), [3, 1], true))[0]!;
    const part = (p: Parameters<typeof valuesOf>[1]) => Array.from(valuesOf(s, p));
    expect(part("abs")).toEqual([5, 1, 2]);
    expect(part("phase")[1]).toBeCloseTo(Math.PI, 12);
    part("abs").forEach((m, k) => {
      expect(m * Math.cos(part("phase")[k]!)).toBeCloseTo(part("real")[k]!, 6);
      expect(m * Math.sin(part("phase")[k]!)).toBeCloseTo(part("imag")[k]!, 6);
    });
  });
});

describe("pixels", () => {
  it("NaN is transparent, the window goes from the first to the last colour", () => {
    const s = slicesOf(answer(Float32Array.of(0, 10, NaN), [3, 1]))[0]!;
    const rgba = Array.from(colourise(s, { part: "real", map: "grey", window: { lo: 0, hi: 10 }, gamma: 1 }));
    expect(rgba).toEqual([0, 0, 0, 255, 255, 255, 255, 255, 0, 0, 0, 0]);
  });
  it("labels go round and 0 stays the background", () => {
    expect([0, 1, 255, 256, -3, 2.2].map(labelEntry)).toEqual([0, 1, 255, 1, 0, 2]);
  });
});

describe("choices by themselves", () => {
  it("labels are integers that count to a few", () => {
    expect(looksLikeLabels(leaf({ dtype: "u8", min: 0, max: 3 }))).toBe(true);
    expect(looksLikeLabels(leaf({ dtype: "u8", min: 0, max: 200 }))).toBe(false);
    expect(looksLikeLabels(leaf({ dtype: "f32", min: 0, max: 1 }))).toBe(false);
    expect(defaultMap(leaf({ dtype: "bool" }), "real")).toBe("labels");
  });
  it("windows: phase a whole turn, colour from 0, coolwarm even about 0, manual as told", () => {
    const shown = () => [-1, 0, 1, 2, 3];
    expect(resolveWindow(undefined, "phase", "phase", null, shown)).toEqual({ lo: -Math.PI, hi: Math.PI });
    expect(resolveWindow(undefined, "colour", "grey", { lo: 0.5, hi: 8 }, shown)).toEqual({ lo: 0, hi: 8 });
    expect(resolveWindow(undefined, "real", "coolwarm", { lo: -1, hi: 3 }, shown)).toEqual({ lo: -3, hi: 3 });
    expect(resolveWindow({ mode: "manual", lo: 1, hi: 2 }, "real", "grey", { lo: -1, hi: 3 }, shown)).toEqual({ lo: 1, hi: 2 });
    expect(resolveWindow(undefined, "real", "grey", { lo: 4, hi: 9 }, shown)).toEqual({ lo: 4, hi: 9 });
    expect(resolveWindow({ mode: "slice" }, "real", "grey", { lo: 4, hi: 9 }, shown).hi).toBeLessThanOrEqual(3);
  });
});
