// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bounds, boxOf, coloured, framesOf, plainItem, sceneTimes, seenAt, timeText } from "../src/scene/items.ts";
import { pathItems, pathQuery, pathsOf, polyline, trajectoryShape } from "../src/trajectory/paths.ts";
import { strokesOf } from "../src/thumbnail/strokes.ts";
import type { ArrayLeaf, Tree } from "../src/types.ts";

const at = (...xyz: number[]) => Float32Array.from(xyz);

describe("moments of a scene", () => {
  it("arrows that only turn have as many moments as directions", () => {
    const item = plainItem({ kind: "arrows", count: 1, frames: [at(0, 0, 0)], directions: [at(1, 0, 0), at(0, 1, 0), at(0, 0, 1)], times: [0, 0.1, 0.2] });
    expect(framesOf(item)).toBe(3);
    expect(sceneTimes([item])).toEqual([0, 0.1, 0.2]);
    expect(seenAt(item, 0.15)).toEqual({ frame: 1, from: 0, count: 1 });
    expect(seenAt(item, -1).frame).toBe(0);
    expect(seenAt(item, Infinity).frame).toBe(2);
  });
  it("points come when their time has come, and fade after the trail", () => {
    const item = plainItem({ kind: "lines", count: 4, frames: [at(0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0)], times: [0, 1, 2, 3], trail: 1.5 });
    expect(seenAt(item, 2)).toEqual({ frame: 0, from: 1, count: 3 });
    expect(seenAt({ ...item, trail: null }, 2)).toEqual({ frame: 0, from: 0, count: 3 });
    expect(seenAt(item, Infinity)).toEqual({ frame: 0, from: 0, count: 4 });
  });
  it("the box holds spheres, tips of arrows at all times, and nothing that is missing", () => {
    const moving = plainItem({ kind: "arrows", count: 1, frames: [at(0, 0, 0)], directions: [at(1, 0, 0), at(0, -5, 0)] });
    const ball = plainItem({ kind: "spheres", count: 1, frames: [at(0, 0, 2)], radius: 1 });
    const gap = plainItem({ kind: "lines", count: 2, frames: [at(NaN, NaN, NaN, 1, 1, 1)] });
    expect(bounds([moving, ball, gap])).toEqual({ low: [-1, -5, 0], high: [1, 1, 3] });
  });
  it("a box is taken from the scene only when it is one", () => {
    expect(boxOf({ box: [[-1, -1, -1], [1, 1, 1]] })).toEqual({ low: [-1, -1, -1], high: [1, 1, 1] });
    expect(boxOf({ box: [[1, 1, 1], [-1, -1, -1]] })).toBeNull();
    expect(boxOf({})).toBeNull();
  });
  it("values become colours frame by frame; a missing one is grey", () => {
    const frames = coloured([0, 1, NaN, 0.5], 2, { map: "grey", lo: 0, hi: 1, title: "", unit: "" });
    expect(frames.map((f) => [...f].map((v) => Math.round(v * 100) / 100))).toEqual([[0, 0, 0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]]);
  });
  it("times are told in the unit of their span", () => {
    expect(timeText(0.00125, 0.01)).toBe("1.3 ms");
    expect(timeText(0.00125, 0.0015)).toBe("1250 µs");
    expect(timeText(12, 60)).toBe("12.0 s");
  });
});

describe("small pictures of scenes", () => {
  it("lines break at gaps, arrows go to their tips, faint spheres stay away", () => {
    const line = plainItem({ kind: "lines", count: 5, frames: [at(0, 0, 0, 1, 0, 0, NaN, 0, 0, 2, 0, 0, 3, 0, 0)] });
    expect(strokesOf(line).map((s) => s.x.length)).toEqual([2, 2]);
    const arrow = plainItem({ kind: "arrows", count: 1, frames: [at(0, 0, 0)], directions: [at(1, 0, 0), at(0, 0, 2)] });
    const [tip] = strokesOf(arrow); // as it is at the end: upwards
    expect(tip!.x).toEqual([0, 0]);
    expect(tip!.y[1]).toBeGreaterThan(0);
    expect(strokesOf(plainItem({ kind: "spheres", count: 1, frames: [at(0, 0, 0)], opacity: 0.1 }))).toEqual([]);
  });
});

describe("trajectories", () => {
  const leaf = (shape: number[], axes: string[]): ArrayLeaf => ({ array: true, path: "data", dtype: "f64", shape, axes });
  const value = (l: ArrayLeaf): { value: Tree } => ({ value: { $type: "trajectory", data: l, matrix: [8, 8] } });

  it("axes are told apart by their places and names", () => {
    expect(trajectoryShape(value(leaf([100, 6, 4, 2], ["sample", "arm", "t", "d"])))).toMatchObject({ sample: "sample", arm: "arm", others: ["t"], coordinate: "d", dimensions: 2, matrix: [8, 8] });
    expect(trajectoryShape(value(leaf([100, 3], ["sample", "d"])))).toMatchObject({ arm: null, dimensions: 3 });
    expect(trajectoryShape(value(leaf([100, 5], ["sample", "d"])))).toBeNull();
    expect(trajectoryShape({ value: null })).toBeNull();
  });
  it("more points than can be drawn are thinned on the server, coordinates never", () => {
    const shape = trajectoryShape(value(leaf([4096, 1000, 3], ["sample", "arm", "d"])))!;
    const q = pathQuery(shape, {});
    expect(q.axes).toEqual(["sample", "arm", "d"]);
    expect(Math.min(4096, q.max!) * Math.min(1000, q.max!)).toBeLessThanOrEqual(200_000);
    expect(q.max).toBeGreaterThan(3);
    expect(pathQuery(trajectoryShape(value(leaf([512, 16, 2], ["sample", "arm", "d"])))!, {}).max).toBeUndefined();
  });
  it("arms are joined into one line with gaps between them", () => {
    const numbers = Float64Array.from({ length: 12 }, (_, n) => n); // (sample 3, arm 2, d 2), first fastest
    const paths = pathsOf({ data: numbers, shape: [3, 2, 2], axes: [], step: [1, 1, 1], complex: false, dtype: "f64", hash: "", key: "" }, true);
    const { positions, source } = polyline(paths, 2, [0, 1]);
    expect([...source]).toEqual([0, 1, 2, -1, 0, 1, 2, -1]);
    expect([...positions.subarray(0, 9)]).toEqual([0, 6, 0, 1, 7, 0, 2, 8, 0]);
    expect(positions[9]).toBeNaN();
    expect([...positions.subarray(12, 15)]).toEqual([3, 9, 0]);
    const items = pathItems(paths, 2, [0, 1, 2], { map: "turbo", lo: 0, hi: 2, title: "", unit: "" }, 1);
    expect(items.map((i) => i.kind)).toEqual(["lines", "lines", "points"]);
    expect([...items[2]!.frames[1]!.subarray(0, 2)]).toEqual([4, 10]);
  });
});
