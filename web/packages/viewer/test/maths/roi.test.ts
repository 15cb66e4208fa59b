// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { bilinear, profile } from "../../src/maths/profile.ts";
import { area, indexBox, inside, moved, shapeText, statistics, type Plane, type Roi } from "../../src/maths/roi.ts";

const plane = (width: number, height: number, value: Plane["value"], step: [number, number] = [1, 1]): Plane => ({ width, height, step, value });

describe("regions", () => {
  it("of a polygon: the shoelace area does not depend on start, direction or place", () => {
    const points: [number, number][] = [[0, 0], [8, 1], [9, 7], [4, 11], [-1, 5]];
    const a = area({ kind: "polygon", points });
    expect(area({ kind: "polygon", points: [...points].reverse() })).toBeCloseTo(a, 12);
    expect(area({ kind: "polygon", points: [...points.slice(2), ...points.slice(0, 2)] })).toBeCloseTo(a, 12);
    expect(area({ kind: "polygon", points: points.map(([x, y]) => [x + 100, y - 50]) })).toBeCloseTo(a, 9);
    expect(area({ kind: "polygon", points: [[0, 0], [4, 0], [4, 3]] })).toBe(6);
  });
  it("hold about as many pixel centres as their area says", () => {
    const big = plane(400, 400, () => 1);
    const rois: Roi[] = [
      { kind: "rect", x0: 20.5, y0: 30.5, x1: 220.5, y1: 180.5 },
      { kind: "ellipse", x0: 20.5, y0: 30.5, x1: 320.5, y1: 180.5 },
      { kind: "polygon", points: [[20.3, 30.1], [350.2, 80.7], [300.4, 310.9], [60.6, 250.2]] },
    ];
    for (const roi of rois) {
      // Off by at most about half a pixel along the outline (~1000 pixels of ~35,000): 1.5 %.
      expect(Math.abs(statistics(big, roi).count / area(roi) - 1)).toBeLessThan(0.015);
    }
  });
  it("do not mind which corner came first", () => {
    const p = plane(20, 20, (i, j) => i + 100 * j);
    const a = statistics(p, { kind: "rect", x0: 3, y0: 4, x1: 9, y1: 8 });
    const b = statistics(p, { kind: "rect", x0: 9, y0: 8, x1: 3, y1: 4 });
    expect(a).toEqual(b);
    expect(a.count).toBe(7 * 5);
  });
  it("are the same in the piece that is cut out around them", () => {
    const f = (i: number, j: number) => Math.sin(i * 1.7 + j * j);
    for (const roi of [
      { kind: "rect", x0: 3.2, y0: -5, x1: 9.5, y1: 8.1 },
      { kind: "ellipse", x0: 2, y0: 1, x1: 40, y1: 14 },
      { kind: "polygon", points: [[1, 1], [15, 3], [8, 17]] },
    ] satisfies Roi[]) {
      const box = indexBox(roi, 20, 20)!;
      const piece = plane(box.x[1] - box.x[0], box.y[1] - box.y[0], (i, j) => f(i + box.x[0], j + box.y[0]));
      expect(statistics(piece, moved(roi, box.x[0], box.y[0]))).toEqual(statistics(plane(20, 20, f), roi));
    }
    expect(indexBox({ kind: "rect", x0: 30, y0: 0, x1: 40, y1: 5 }, 20, 20)).toBeNull();
  });
  it("a polygon's inside follows its dent", () => {
    const dented: Roi = { kind: "polygon", points: [[0, 0], [10, 0], [10, 10], [5, 2], [0, 10]] };
    expect(inside(dented, 5, 1)).toBe(true);
    expect(inside(dented, 5, 6)).toBe(false);
    expect(inside(dented, 1, 6)).toBe(true);
  });
});

describe("statistics", () => {
  const all: Roi = { kind: "rect", x0: -1, y0: -1, x1: 99, y1: 99 };
  it("of known numbers", () => {
    const s = statistics(plane(4, 2, (i, j) => [2, 4, 4, 4, 5, 5, 7, 9][4 * j + i]!), all);
    expect(s).toMatchObject({ count: 8, pixels: 8, mean: 5, min: 2, max: 9, median: 4.5 });
    expect(s.sd).toBeCloseTo(Math.sqrt(32 / 7), 12);
  });
  it("leave NaN out of the count and keep it in the pixels", () => {
    expect(statistics(plane(3, 1, (i) => [1, NaN, 3][i]!), all)).toMatchObject({ pixels: 3, count: 2, mean: 2 });
    const none = statistics(plane(2, 1, () => NaN), all);
    expect(none.count).toBe(0);
    expect(none.mean).toBeNaN();
  });
  it("shift and scale as they should", () => {
    const f = (i: number, j: number) => Math.sin(3 * i + j);
    const a = statistics(plane(9, 9, f), all);
    const b = statistics(plane(9, 9, (i, j) => 5 - 2 * f(i, j)), all);
    expect(b.mean).toBeCloseTo(5 - 2 * a.mean, 12);
    expect(b.sd).toBeCloseTo(2 * a.sd, 12);
    expect(b.min).toBeCloseTo(5 - 2 * a.max, 12);
  });
  it("of a decimated plane use the indices of the whole one", () => {
    const p = plane(10, 10, (i, j) => i + j, [4, 4]); // stands for 40 x 40
    expect(statistics(p, { kind: "rect", x0: 0, y0: 0, x1: 8, y1: 4 }).count).toBe(3 * 2);
  });
  it("regions are named as the server reads them", () => {
    expect(shapeText({ kind: "ellipse", x0: 5, y0: 1, x1: 2, y1: 3 })).toBe("ellipse:2.00:1.00:5.00:3.00");
    expect(shapeText({ kind: "polygon", points: [[0, 1], [2, 3], [4, 5]] })).toBe("polygon:0.00:1.00:2.00:3.00:4.00:5.00");
  });
});

describe("profile", () => {
  it("of a plane that is linear is linear, and as long as the line", () => {
    const p = plane(30, 30, (i, j) => 2 * i - 3 * j + 1);
    const { distance, values } = profile(p, { x0: 2, y0: 3, x1: 20, y1: 27 }, [0.5, 2]);
    expect(distance[distance.length - 1]).toBeCloseTo(Math.hypot(18 * 0.5, 24 * 2), 10);
    values.forEach((v, k) => {
      const t = k / (values.length - 1);
      expect(v).toBeCloseTo(2 * (2 + 18 * t) - 3 * (3 + 24 * t) + 1, 9);
    });
  });
  it("ends beside the picture, and meets NaN only where it counts", () => {
    const p = plane(4, 4, (i) => (i === 2 ? NaN : i));
    expect(bilinear(p, -2, 1)).toBeNaN();
    expect(bilinear(p, 1, 1)).toBe(1); // its neighbour has no weight
    expect(bilinear(p, 1.5, 1)).toBeNaN();
    expect(bilinear(p, -0.3, 0)).toBe(0);
  });
});
