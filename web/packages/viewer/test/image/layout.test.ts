// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { detailBox, fitted, Layout, type LayoutInput } from "../../src/image/layout.ts";

const input = (change: Partial<LayoutInput> = {}): LayoutInput => ({
  width: 64,
  height: 48,
  size: [1, 2],
  count: 1,
  columns: 1,
  box: { width: 400, height: 300 },
  flipH: false,
  flipV: false,
  zoom: fitted,
  ...change,
});

describe("where the picture is", () => {
  it("fits the box and keeps the shape of its voxels", () => {
    const l = new Layout(input());
    expect(l.tileWidth / l.tileHeight).toBeCloseTo(64 / 96, 12);
    expect(Math.max(l.tileWidth / 400, l.tileHeight / 300)).toBeCloseTo(1, 12);
    const t = l.tile(0);
    expect([t.x + t.width / 2, t.y + t.height / 2]).toEqual([200, 150]);
  });
  it("screen to index and back is the same point, in every tile, flipped and zoomed", () => {
    for (const flipH of [false, true]) {
      for (const flipV of [false, true]) {
        const l = new Layout(input({ count: 7, columns: 3, flipH, flipV, zoom: { k: 1.7, cx: 0.4, cy: 0.6 } }));
        for (const tile of [0, 4, 6]) {
          const [x, y] = l.toScreen(tile, 12.25, 30.5);
          const back = l.toIndex(x, y);
          expect(back?.tile).toBe(tile);
          expect(back?.i).toBeCloseTo(12.25, 9);
          expect(back?.j).toBeCloseTo(30.5, 9);
        }
      }
    }
  });
  it("pixel 0 begins half a pixel before its centre, at the left unless flipped", () => {
    const l = new Layout(input());
    const t = l.tile(0);
    expect(l.indexIn(0, t.x, t.y)).toEqual({ i: -0.5, j: -0.5 });
    expect(new Layout(input({ flipH: true })).indexIn(0, t.x, t.y).i).toBeCloseTo(63.5, 9);
  });
  it("there is nothing beside the tiles", () => {
    const l = new Layout(input({ count: 5, columns: 3 }));
    const last = l.tile(5);
    expect(l.toIndex(last.x + 5, last.y + 5)).toBeNull();
    expect(l.toIndex(-1000, 10)).toBeNull();
  });
});

describe("zoom", () => {
  it("holds the point under the pointer", () => {
    const l = new Layout(input());
    const before = l.toIndex(170, 120)!;
    const near = new Layout(input({ zoom: l.zoomed(3, 170, 120) }));
    const after = near.toIndex(170, 120)!;
    expect(after.i).toBeCloseTo(before.i, 9);
    expect(after.j).toBeCloseTo(before.j, 9);
    expect(near.scale).toBeCloseTo(3 * l.scale, 9);
  });
  it("out again fits, and ends at 64", () => {
    const l = new Layout(input({ zoom: { k: 2, cx: 0.2, cy: 0.9 } }));
    expect(l.zoomed(0.1, 10, 10)).toEqual(fitted);
    expect(l.zoomed(1e9, 10, 10).k).toBe(64);
  });
  it("a pan moves the picture with the hand and keeps its middle in reach", () => {
    const zoom = { k: 4, cx: 0.5, cy: 0.5 };
    const l = new Layout(input({ zoom }));
    const [x] = l.toScreen(0, 10, 10);
    const [moved] = new Layout(input({ zoom: l.panned(25, 0) })).toScreen(0, 10, 10);
    expect(moved - x).toBeCloseTo(25, 9);
    expect(l.panned(1e6, -1e6)).toEqual({ k: 4, cx: 0, cy: 1 });
  });
});

describe("detail", () => {
  it("is what is seen: all when fitted, a part when zoomed, placed where it belongs", () => {
    expect(new Layout(input()).visible()).toEqual({ x: [0, 64], y: [0, 48] });
    for (const flipH of [false, true]) {
      const l = new Layout(input({ flipH, zoom: { k: 8, cx: 0.3, cy: 0.5 } }));
      const seen = l.visible()!;
      expect(seen.x[1] - seen.x[0]).toBeLessThan(64);
      const [i, j] = [seen.x[0] + 1, seen.y[0] + 1];
      const p = l.place(0, [i, i + 1], [j, j + 1]);
      const [x, y] = l.toScreen(0, i, j);
      expect(p.x + p.width / 2).toBeCloseTo(x, 9);
      expect(p.y + p.height / 2).toBeCloseTo(y, 9);
      expect(p.width).toBeCloseTo(l.tileWidth / 64, 9);
    }
  });
  it("is asked for when it is finer than what is there, in blocks that hold what is seen", () => {
    const all: [number, number] = [8000, 6000];
    expect(detailBox({ x: [0, 8000], y: [0, 6000] }, all, [4, 3], 2048)).toBeNull();
    expect(detailBox({ x: [10, 20], y: [10, 20] }, [500, 500], [1, 1], 2048)).toBeNull();
    const box = detailBox({ x: [2500, 3100], y: [2000, 2300] }, all, [4, 3], 2048)!;
    expect(box).toEqual({ x: [2000, 4000], y: [1500, 3000] });
    expect(detailBox({ x: [2510, 3110], y: [2010, 2310] }, all, [4, 3], 2048)).toEqual(box); // a small move
  });
});
