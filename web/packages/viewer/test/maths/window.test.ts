// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { autoWindow, dragged, percentiles, short, ticks, widened, windowed } from "../../src/maths/window.ts";

describe("windowed", () => {
  const w = { lo: 10, hi: 30 };
  it("is 0 at the floor, 1 at the ceiling, linear between and clipped outside", () => {
    expect([5, 10, 20, 30, 99].map((v) => windowed(v, w))).toEqual([0, 0, 0.5, 1, 1]);
  });
  it("gamma bends and keeps the ends", () => {
    expect([10, 20, 30].map((v) => windowed(v, w, 2))).toEqual([0, 0.25, 1]);
  });
  it("is a threshold without a width, and passes NaN on", () => {
    expect([1, 2, 3].map((v) => windowed(v, { lo: 2, hi: 2 }))).toEqual([0, 0, 1]);
    expect(windowed(NaN, w)).toBeNaN();
    expect(windowed(Infinity, w)).toBe(1);
  });
});

describe("dragged", () => {
  const w = { lo: 100, hi: 300 };
  it("across changes the width about the level, up lowers the level by as much as it is dragged", () => {
    const wide = dragged(w, 300, 0);
    expect(wide.hi - wide.lo).toBeCloseTo(400, 9);
    expect(wide.hi + wide.lo).toBeCloseTo(400, 9);
    const bright = dragged(w, 0, -150);
    expect(bright).toEqual({ lo: 0, hi: 200 });
  });
  it("back is back, and the width stays positive", () => {
    const there = dragged(w, 123, 0);
    const back = dragged(there, -123, 0);
    expect(back.lo).toBeCloseTo(w.lo, 9);
    expect(back.hi).toBeCloseTo(w.hi, 9);
    expect(dragged(w, -1e4, 0).hi).toBeGreaterThanOrEqual(dragged(w, -1e4, 0).lo);
  });
});

describe("percentiles", () => {
  it("of 0..100 are the percentages themselves", () => {
    const values = Array.from({ length: 101 }, (_, i) => 100 - i);
    expect(percentiles(values, [0, 1, 37, 50, 99, 100])).toEqual([0, 1, 37, 50, 99, 100]);
  });
  it("interpolate, leave out what is not finite, and shift and scale with the values", () => {
    expect(percentiles([1, NaN, 2, Infinity], [50])).toEqual([1.5]);
    const values = [3, 1, 4, 1, 5, 9, 2, 6];
    const [a] = percentiles(values, [30]);
    const [b] = percentiles(values.map((v) => 2 * v + 1), [30]);
    expect(b).toBeCloseTo(2 * a! + 1, 12);
    expect(percentiles([NaN], [50])[0]).toBeNaN();
  });
  it("of a sample come close to those of all", () => {
    const n = 1_000_000;
    const values = Float32Array.from({ length: n }, (_, i) => ((i * 7919) % n) / n);
    // One in 15 is taken: the error of a percentile of 66,000 even samples is below 1 %.
    percentiles(values, [1, 50, 99]).forEach((v, k) => expect(Math.abs(v - [0.01, 0.5, 0.99][k]!)).toBeLessThan(0.01));
  });
});

describe("autoWindow", () => {
  it("leaves out the last hundredths", () => {
    const values = [...Array.from({ length: 1000 }, (_, i) => i), 1e9];
    const w = autoWindow(values);
    expect(w.lo).toBeCloseTo(10, 6);
    expect(w.hi).toBeCloseTo(990, 6);
  });
  it("has a width whatever comes", () => {
    expect(autoWindow([...new Array(999).fill(0), 5])).toEqual({ lo: 0, hi: 5 }); // a few voxels of a mask
    expect(autoWindow([7, 7, 7])).toEqual({ lo: 3.5, hi: 10.5 });
    expect(autoWindow([])).toEqual({ lo: 0, hi: 1 });
    expect(autoWindow([NaN, NaN])).toEqual({ lo: 0, hi: 1 });
    expect(widened(0, 0)).toEqual({ lo: -0.5, hi: 0.5 });
  });
});

describe("ticks and numbers", () => {
  it("ticks are round, inside, even and about as many as asked", () => {
    for (const [lo, hi] of [[0, 1], [-3.7, 12.9], [1e-6, 5e-6], [12345, 99999]] as const) {
      const t = ticks(lo, hi, 5);
      expect(t.length).toBeGreaterThanOrEqual(3);
      expect(t.length).toBeLessThanOrEqual(11);
      expect(t[0]!).toBeGreaterThanOrEqual(lo - 1e-9 * (hi - lo));
      expect(t[t.length - 1]!).toBeLessThanOrEqual(hi + 1e-9 * (hi - lo));
      const steps = t.slice(1).map((v, i) => v - t[i]!);
      steps.forEach((s) => expect(s).toBeCloseTo(steps[0]!, 12));
    }
    expect(ticks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks(3, 3)).toEqual([]);
  });
  it("numbers are short", () => {
    expect([0, 1, 0.123456, -2.5, 123456, 1e-5, 1500].map((v) => short(v))).toEqual(["0", "1", "0.1235", "−2.5", "1.235e5", "1e−5", "1500"]);
    expect([NaN, Infinity, -Infinity].map((v) => short(v))).toEqual(["NaN", "∞", "−∞"]);
  });
});
