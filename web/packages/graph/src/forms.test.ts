// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SettingInfo } from "./catalogue.ts";
import { arithmetic, forHand, fromSlider, parseEntry, parseNumbers, sliderScale, snap, toSlider } from "./form.ts";
import * as format from "./format.ts";
import { fuzzyScore, fuzzySearch } from "./fuzzy.ts";

const setting = (more: Partial<SettingInfo>): SettingInfo => ({ name: "s", kind: "number", ...more });

describe("sliders", () => {
  test("a slider's end is the bound, and what it gives lies within", () => {
    fc.assert(fc.property(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.double({ min: 1e-3, max: 1e4, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (lo, span, p) => {
      const s = setting({ lower: lo, upper: lo + span });
      const v = fromSlider(s, p);
      return v >= lo && v <= lo + span && fromSlider(s, 0) >= lo && toSlider(s, lo + span) === 1;
    }), { seed: 5 });
  });
  test("decades go by ratio", () => {
    const s = setting({ lower: 0.001, upper: 10 });
    expect(sliderScale(s)).toBe("log");
    expect(fromSlider(s, 0.5)).toBeCloseTo(0.1, 6);
    expect(toSlider(s, 0.1)).toBeCloseTo(0.5, 6);
  });
  test("steps and whole numbers", () => {
    expect(snap(setting({ lower: 0, upper: 1, step: 0.05 }), 0.42)).toBe(0.4);
    expect(snap(setting({ kind: "integer", lower: 1, upper: 9 }), 3.6)).toBe(4);
    expect(sliderScale(setting({ lower: 0 }))).toBeNull();
    // A bound that only keeps nonsense out makes no slider that a hand could set.
    expect(sliderScale(setting({ lower: -1e6, upper: 1e6 }))).toBeNull();
    expect(sliderScale(setting({ lower: 0, upper: null }))).toBeNull();
  });

  test("bounds that only keep nonsense out do not make a slider coarse", () => {
    const angle = setting({ default: 90, lower: -1440, upper: 1440 }), thick = setting({ default: 5, lower: 0, upper: 10000 });
    expect(forHand(angle)).toMatchObject({ lower: 0, upper: 180 });
    expect(forHand(angle, 90)).toMatchObject({ lower: 0, upper: 180 });
    expect(forHand(angle, -30)).toMatchObject({ lower: -30, upper: 180 }); // what is set is on the slider
    expect(forHand(angle, 720)).toMatchObject({ lower: 0, upper: 720 });
    expect(forHand(thick, 5)).toMatchObject({ lower: 0, upper: 10 });
    expect(sliderScale(forHand(thick))).toBe("linear");
    const none = setting({ default: 0, lower: 0, upper: 10000 });
    expect(forHand(none, 7, 5)).toMatchObject({ lower: 0, upper: 10 });
    expect(forHand(setting({ default: -9, lower: -1000, upper: 1000 }))).toMatchObject({ lower: -18, upper: 0 });
    for (const s of [setting({ default: 0.5, lower: 0, upper: 1 }), setting({ default: 0, lower: -1000, upper: 1000 }), setting({ default: 1e-4, lower: 1e-6, upper: 0.1 }), setting({ default: 3, lower: 0, upper: null })]) expect(forHand(s)).toEqual(s);
  });
});

describe("entries", () => {
  test("arithmetic", () => {
    expect(arithmetic("2*(3+4)^2/7")).toBe(14);
    expect(arithmetic("-2^2")).toBe(-4);
    expect(arithmetic("pi/2")).toBeCloseTo(Math.PI / 2, 12);
    expect(arithmetic("1e-3*.5")).toBeCloseTo(5e-4, 15);
    for (const bad of ["", "2+", "1/0", "abc", "(1", "1 2", "alert(1)"]) expect(arithmetic(bad)).toBeNull();
  });
  test("out of range says both numbers and the unit", () => {
    expect(parseEntry(setting({ lower: 0, upper: 1, unit: "mm" }), "2")).toEqual({ problem: "2 mm is above 1 mm" });
    expect(parseEntry(setting({ kind: "integer" }), "2.5")).toEqual({ problem: "2.5 is not a whole number" });
    expect(parseEntry(setting({ optional: true }), " ")).toEqual({ value: null });
    expect(parseEntry(setting({}), "x")).toEqual({ problem: "'x' is not a number" });
  });
  test("lists of numbers and their ranges", () => {
    expect(parseNumbers("[1, 2 3;4]")).toEqual([1, 2, 3, 4]);
    expect(parseNumbers("0:0.1:0.3")).toEqual([0, 0.1, 0.2, 0.3]);
    expect(parseNumbers("5:1")).toEqual([5, 4, 3, 2, 1]);
    expect(parseNumbers("")).toEqual([]);
    for (const bad of ["a", "1:0:2", "1:2:3:4", "0:1e-9:1"]) expect(parseNumbers(bad)).toBeNull();
  });
});

describe("words", () => {
  test("search finds by beginnings, letters in order and whole words, and nothing else", () => {
    const ops = ["Gaussian blur", "Mean over axes", "Fourier transform", "Inverse Fourier transform", "Read image", "Multiply"];
    const find = (q: string) => fuzzySearch(q, ops, (o) => [o]);
    expect(find("fou")[0]).toBe("Fourier transform");
    expect(find("ft")[0]).toBe("Fourier transform");
    expect(find("gblur")[0]).toBe("Gaussian blur");
    expect(find("image read")).toEqual(["Read image"]);
    expect(find("xyz")).toEqual([]);
    expect(find("")).toEqual(ops);
  });
  test("letters scattered over a sentence are no answer", () => {
    const ops = [["Arterial input", "dce.input_function", "plasma input: a population curve, a measured curve, a region"], ["Phantom", "sim.phantom", "ellipses of Shepp and Logan"]];
    expect(fuzzySearch("shepp", ops, (o) => o)).toEqual([ops[1]]);
    expect(fuzzySearch("plasma", ops, (o) => o)).toEqual([ops[0]]);
  });
  test("an exact text beats everything", () => {
    fc.assert(fc.property(fc.string({ minLength: 1 }), fc.string(), (q, t) => q.trim() === "" || fuzzyScore(q, q.trim()) >= fuzzyScore(q, t)), { seed: 3 });
  });
  test("amounts", () => {
    expect(format.about("image f32 (64 x, 64 y, 24 z) on cpu")).toBe("image f32 · 64 x × 64 y × 24 z");
    expect(format.about("3 x f64 () on cpu")).toBe("3 × f64 · one value");
    expect(format.about("c64 (8, 4) on cuda:0")).toBe("c64 · 8 × 4 on cuda:0");
    expect(format.about("table of 3 fields")).toBe("table of 3 fields");
    expect(format.bytes(0)).toBe("0 B");
    expect(format.bytes(1536)).toBe("1.50 kB");
    expect(format.bytes(3 * 1024 ** 3)).toBe("3.00 GB");
    expect(format.seconds(0.00042)).toBe("420 µs");
    expect(format.seconds(0.0123)).toBe("12.3 ms");
    expect(format.seconds(75)).toBe("1 min 15 s");
    expect(format.seconds(NaN)).toBe("–");
    expect(format.number(1234567)).toBe("1.235e6");
    expect(format.number(12345)).toBe("12345");
    expect(format.number(-0.25)).toBe("−0.25");
    expect(format.shape([64, 24], ["x"])).toBe("64 x × 24");
  });
});
