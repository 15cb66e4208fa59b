// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { atText, completeIndices, defaultAxes, pickAxis, sliderAxes, step, tileGrid, tileIndices } from "../../src/maths/axes.ts";

const leaf = { axes: ["x", "y", "z", "coil", "t"], shape: [64, 48, 20, 1, 30] };

describe("axes", () => {
  it("begin with the first two that are not short beside the longest", () => {
    expect(defaultAxes({ axes: ["coil", "slice", "x", "y"], shape: [12, 3, 89, 144] })).toEqual(["x", "y"]);
    expect(defaultAxes({ axes: ["x", "y", "z", "t"], shape: [80, 80, 10, 200] })).toEqual(["x", "y"]);
    expect(defaultAxes({ axes: ["sample", "arm", "slice"], shape: [825, 79, 5] })).toEqual(["sample", "arm"]);
    expect(defaultAxes({ axes: ["x", "y", "z", "t"], shape: [16, 16, 4, 300] }, true)).toEqual(["x", "y"]);
    expect(defaultAxes(leaf)).toEqual(["x", "y"]);
    expect(defaultAxes({ axes: ["x", "y", "z"], shape: [1, 48, 20] })).toEqual(["y", "z"]);
    expect(defaultAxes({ axes: ["x", "y"], shape: [1, 1] })).toEqual(["x", "y"]);
    expect(defaultAxes({ axes: ["x"], shape: [9] })).toEqual(["x", ""]);
  });
  it("shown, slider and length-1 axes are all of them, each once", () => {
    expect(sliderAxes(leaf, ["x", "t"])).toEqual(["y", "z"]);
    expect(sliderAxes(leaf, ["x", "y"])).toEqual(["z", "t"]);
  });
  it("picking the other axis exchanges them", () => {
    expect(pickAxis(["x", "y"], 0, "y")).toEqual(["y", "x"]);
    expect(pickAxis(["x", "y"], 1, "z")).toEqual(["x", "z"]);
    expect(pickAxis(["x", "y"], 1, "y")).toEqual(["x", "y"]);
  });
});

describe("indices", () => {
  it("cover exactly the axes not shown; space starts in the middle, the rest at 0", () => {
    expect(completeIndices(leaf, ["x", "y"])).toEqual({ z: 10, coil: 0, t: 0 });
  });
  it("from another array are cut to this one, and what is not an axis here is left", () => {
    expect(completeIndices(leaf, ["x", "y"], { z: 99, t: -3, echo: 4, coil: 0.4 })).toEqual({ z: 19, coil: 0, t: 0 });
  });
  it("step goes round in cine and stops for the hand", () => {
    expect([step(9, 1, 10, true), step(0, -1, 10, true), step(9, 1, 10, false), step(0, -1, 10, false), step(0, 1, 0, true)]).toEqual([0, 9, 9, 0, 0]);
  });
  it("as the server reads them", () => expect(atText({ z: 3, t: 0 })).toBe("z:3,t:0"));
});

describe("tiles", () => {
  it("hold all of them with less than a row to spare, as large as any other arrangement", () => {
    for (const [count, tile, box] of [[20, 1, 1.6], [7, 0.5, 1], [1, 1, 3], [144, 1, 1]] as const) {
      const { columns, rows } = tileGrid(count, tile, box);
      expect(columns * rows).toBeGreaterThanOrEqual(count);
      expect(columns * (rows - 1)).toBeLessThan(count);
      const size = (c: number) => Math.min(box / (c * tile), 1 / Math.ceil(count / c));
      for (let c = 1; c <= count; ++c) expect(size(columns)).toBeGreaterThanOrEqual(size(c) - 1e-4);
    }
  });
  it("keep to the range and to the most that is sensible", () => {
    expect(tileIndices(10, 2, 9, 3)).toEqual([2, 5, 8]);
    expect(tileIndices(10)).toHaveLength(10);
    expect(tileIndices(1000).length).toBeLessThanOrEqual(144);
    expect(tileIndices(5, 99, 3)).toEqual([4]);
  });
});
