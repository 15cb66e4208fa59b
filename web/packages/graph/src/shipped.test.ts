// SPDX-License-Identifier: Apache-2.0
// Graphs that come along are pleasant to open: nothing lies over anything else.
import { describe, expect, test } from "vitest";
import { levelsOf, rectsOf, reference, shippedGraphs } from "../dev/reference.ts";
import { contains, overlap, type Rect } from "./geometry.ts";

describe("graphs that come along", () => {
  test("the reference pages tell of operations", () => {
    expect(reference.ops.size).toBeGreaterThan(150);
    expect(reference.ops.get("math.add")!.inputs.map((p) => p.name)).toEqual(["a", "b"]);
  });
  test.each(shippedGraphs())("$file: no node, frame or comment lies over another (dev/layout.ts lays it out)", ({ doc }) => {
    for (const level of levelsOf(doc)) {
      const boxes: [string, Rect][] = [...rectsOf(level)];
      for (const [id, c] of Object.entries(level.graph.comments ?? {})) boxes.push([`comment ${id}`, { x: c.at[0], y: c.at[1], w: c.size[0], h: c.size[1] }]);
      boxes.forEach(([a, r], i) => boxes.slice(i + 1).forEach(([b, q]) => expect(overlap(r, q), `${a} and ${b}`).toBe(false)));
      // The graph's own outputs stand right of everything.
      const right = Math.max(...[...rectsOf(level).values()].map((r) => r.x + r.w));
      if (level.graph.outputs) for (const [id, c] of Object.entries(level.graph.comments ?? {})) expect(c.at[0] + c.size[0], `comment ${id}`).toBeLessThanOrEqual(right + 60);
      for (const [id, f] of Object.entries(level.graph.frames ?? {})) {
        const frame = { x: f.at[0], y: f.at[1], w: f.size[0], h: f.size[1] };
        for (const [name, r] of boxes) expect(!overlap(frame, r) || contains(frame, r), `frame ${id} cuts ${name}`).toBe(true);
      }
    }
  });
});
