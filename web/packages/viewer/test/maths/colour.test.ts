// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { complexRgb, coolwarm, hueRgb, labelRgb, mapNames, mapRgb, mapTable, phaseHue, wrap } from "../../src/maths/colour.ts";

const deg = Math.PI / 180;
const of = (angle: number) => hueRgb(phaseHue(angle * deg)).map((v) => Math.round(v * 1e9) / 1e9);

describe("the ring of complex colour", () => {
  it("has the four named colours at the four named angles", () => {
    expect(of(0)).toEqual([0, 1, 1]); // cyan
    expect(of(90)).toEqual([0, 1, 0]); // green
    expect(of(-90)).toEqual([1, 0, 1]); // magenta
    expect(of(180)).toEqual([1, 0, 0]); // red
    expect(of(-180)).toEqual([1, 0, 0]);
  });
  it("closes without a seam and repeats every turn", () => {
    for (let a = -180; a <= 180; a += 7.5) {
      const here = of(a);
      expect(of(a + 360)).toEqual(here);
      const next = of(a + 0.01);
      // A hue moves by at most 120 deg in 90 deg of phase, 1/60 of a channel for each degree of hue.
      here.forEach((v, c) => expect(Math.abs(v - next[c]!)).toBeLessThan((0.01 * 120) / 90 / 60 + 1e-9));
    }
  });
  it("gives every phase a colour of its own", () => {
    const seen = new Set(Array.from({ length: 360 }, (_, a) => of(a).join()));
    expect(seen.size).toBe(360);
  });
  it("is dark in proportion to the brightness and keeps the hue", () => {
    const [re, im] = [Math.cos(0.7), Math.sin(0.7)];
    const full = complexRgb(re, im, 1);
    complexRgb(3 * re, 3 * im, 0.25).forEach((v, c) => expect(v).toBeCloseTo(0.25 * full[c]!, 12));
    expect(complexRgb(re, im, 0)).toEqual([0, 0, 0]);
  });
});

describe("wrap", () => {
  it("is in (-pi, pi] and differs by whole turns", () => {
    for (const a of [-10, -Math.PI, -3, 0, 1, Math.PI, 3.2, 100]) {
      const w = wrap(a);
      expect(w).toBeGreaterThan(-Math.PI);
      expect(w).toBeLessThanOrEqual(Math.PI);
      expect(((a - w) / (2 * Math.PI)) % 1).toBeCloseTo(0, 10);
    }
  });
});

describe("colour maps", () => {
  it("are 256 opaque entries, with ends as named", () => {
    for (const name of mapNames) {
      const table = mapTable(name);
      expect(table.length).toBe(1024);
      expect(table.filter((_, i) => i % 4 === 3).every((v) => v === 255)).toBe(true);
    }
    expect(mapRgb("grey", 0.5)).toEqual([0.5, 0.5, 0.5]);
    expect(mapRgb("viridis", 0).map((v) => Math.round(255 * v))).toEqual([68, 1, 84]); // van der Walt and Smith, #440154
    expect(mapRgb("phase", 0.5).map(Math.round)).toEqual([0, 1, 1]); // phase 0
  });
  it("coolwarm runs from blue over near-white to red, evenly in lightness", () => {
    expect(coolwarm(0).map((v) => Math.round(255 * v))).toEqual([59, 76, 192]);
    expect(coolwarm(1).map((v) => Math.round(255 * v))).toEqual([180, 4, 38]);
    // Moreland (2009), table of the map at its middle: (221, 221, 221).
    coolwarm(0.5).forEach((v) => expect(Math.abs(255 * v - 221)).toBeLessThan(2));
    const light = Array.from({ length: 11 }, (_, i) => coolwarm(i / 10)).map(([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b);
    for (let i = 1; i <= 5; ++i) {
      expect(light[i]!).toBeGreaterThan(light[i - 1]!);
      expect(light[10 - i]!).toBeGreaterThan(light[11 - i]!);
    }
  });
  it("labels: 0 is black, neighbours are apart, the same number is the same everywhere", () => {
    expect(labelRgb(0)).toEqual([0, 0, 0]);
    for (let k = 1; k < 40; ++k) {
      const [a, b] = [labelRgb(k), labelRgb(k + 1)];
      expect(Math.hypot(...a.map((v, c) => v - b[c]!))).toBeGreaterThan(0.25);
    }
    expect(Array.from(mapTable("labels").slice(4, 7))).toEqual(labelRgb(1).map((v) => Math.round(255 * v)));
  });
});
