// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GraphDoc } from "./document.ts";
import { setSetting } from "./edits/nodes.ts";
import { align, bounds, contains, distribute, freePlace, nodeShape, overlap, type Rect } from "./geometry.ts";
import { layout } from "./layout.ts";
import { topLevel } from "./level.ts";
import { nodeView } from "./node_view.ts";
import { apply, diff, type Patch } from "./patch.ts";
import { Optimistic, squash } from "./pending.ts";
import { compareRuns, profileRows, timeline } from "./profile.ts";
import { aggregate, type NodeReport, type RunReport, secondsLeft } from "./report.ts";
import { catalogue, small } from "./testing.ts";

const rects = (list: Rect[]) => new Map(list.map((r, i) => [String(i), r]));

describe("geometry", () => {
  test("ports lie inside their node, in order", () => {
    const view = nodeView(topLevel(small()), "cat", catalogue);
    const s = nodeShape(view);
    expect([0, 1, 2].map((i) => s.portY(i))).toEqual([...[0, 1, 2].map((i) => s.portY(i))].sort((a, b) => a - b));
    expect(s.portY(2)).toBeLessThan(s.h);
    expect(nodeShape(view, true).h).toBeLessThan(s.h);
  });
  test("aligned rectangles share a side, and the outermost stays", () => {
    const r = rects([{ x: 0, y: 0, w: 10, h: 10 }, { x: 50, y: 5, w: 30, h: 10 }]);
    expect([...align(r, "right").values()].map((p) => p[0])).toEqual([70, 50]);
    expect([...align(r, "middle").values()].map((p) => p[1])).toEqual([2.5, 2.5]);
  });
  test("a free place keeps the gap to all others, and is where it was wanted when nothing is there", () => {
    const others: Rect[] = Array.from({ length: 60 }, (_, k) => ({ x: (k % 6) * 150, y: Math.floor(k / 6) * 120, w: 130, h: 100 }));
    for (const r of [{ x: 300, y: 240, w: 200, h: 180 }, { x: 10, y: 5, w: 172, h: 90 }, { x: 2000, y: 0, w: 172, h: 90 }]) {
      const [x, y] = freePlace(r, others, 24);
      for (const o of others) expect(x < o.x + o.w + 24 && x + r.w + 24 > o.x && y < o.y + o.h + 24 && y + r.h + 24 > o.y).toBe(false);
    }
    expect(freePlace({ x: 2000, y: 0, w: 172, h: 90 }, others)).toEqual([2000, 0]);
    expect(freePlace({ x: 7, y: 9, w: 1, h: 1 }, [])).toEqual([7, 9]);
  });
  test("distributed rectangles have equal gaps, and the outermost two stay", () => {
    const rect = fc.record({ x: fc.nat(1000), y: fc.nat(1000), w: fc.integer({ min: 1, max: 99 }), h: fc.integer({ min: 1, max: 99 }) });
    fc.assert(fc.property(fc.array(rect, { minLength: 3, maxLength: 8 }), (list) => {
      const r = rects(list), d = distribute(r, "x");
      const sorted = [...d].sort((a, b) => [...d.keys()].indexOf(a[0]) - [...d.keys()].indexOf(b[0])).map(([id, p]) => ({ x: p[0], w: r.get(id)!.w }));
      const gaps = sorted.slice(1).map((s, i) => s.x - sorted[i]!.x - sorted[i]!.w);
      // Sums of up to eight numbers below 2000 in doubles.
      return gaps.every((g) => Math.abs(g - gaps[0]!) < 1e-9);
    }), { seed: 4 });
  });
  test("a long chain goes on in rows, each from left to right", () => {
    const n = 24, id = (k: number) => `n${k}`;
    const g: GraphDoc = { larmor: 1, nodes: {}, wires: {} };
    const r = new Map<string, Rect>();
    for (let k = 0; k < n; k++) {
      g.nodes![id(k)] = { op: "math.add" };
      if (k > 0) g.wires![`${id(k)}.a`] = `${id(k - 1)}.out`;
      r.set(id(k), { x: 0, y: 0, w: 190, h: 200 });
    }
    const at = layout(g, r).nodes!;
    const placed = Array.from({ length: n }, (_, k) => ({ x: at[id(k)]![0], y: at[id(k)]![1], w: 190, h: 200 }));
    const all = bounds(placed)!;
    expect(all.w / all.h).toBeLessThan(2.5);
    placed.forEach((a, i) => placed.slice(i + 1).forEach((b) => expect(overlap(a, b)).toBe(false)));
    placed.slice(1).forEach((b, k) => expect(b.y > placed[k]!.y || b.x > placed[k]!.x + 190).toBe(true));
    // A short one stays a line.
    const short = layout({ larmor: 1, nodes: { a: {}, b: {} }, wires: { "b.a": "a.out" } } as GraphDoc, new Map([["a", { x: 0, y: 0, w: 190, h: 200 }], ["b", { x: 0, y: 0, w: 190, h: 200 }]])).nodes!;
    expect(short.b![1]).toBe(short.a![1]);
  });
  test("laid out nodes do not overlap, and wires go to the right", () => {
    const r = new Map(["read", "blur", "add", "cat"].map((id) => [id, { x: 0, y: 0, w: 180, h: 90 }]));
    const moves = layout(small(), r).nodes!;
    for (const [to, from] of Object.entries(small().wires!)) expect(moves[to.split(".")[0]!]![0]).toBeGreaterThan(moves[from.split(".")[0]!]![0] + 180);
    const b = bounds(Object.values(moves).map(([x, y]) => ({ x, y, w: 180, h: 90 })))!;
    expect([b.x, b.y]).toEqual([0, 0]);
    expect(Object.keys(layout(small(), r, new Set(["add"])).nodes!)).toEqual(["add"]);
  });
  test("whatever the graph: nothing overlaps, frames hold what they held and nothing else", () => {
    const size = fc.integer({ min: 40, max: 300 });
    const place = fc.integer({ min: 0, max: 900 });
    const node = fc.record({ x: place, y: place, w: size, h: size });
    const wire = fc.tuple(fc.nat(11), fc.nat(11));
    const frame = fc.record({ at: fc.tuple(place, place), size: fc.tuple(fc.integer({ min: 200, max: 900 }), fc.integer({ min: 200, max: 900 })) });
    const note = fc.record({ at: fc.tuple(place, place), size: fc.tuple(size, size), text: fc.constant("") });
    fc.assert(fc.property(fc.array(node, { minLength: 1, maxLength: 12 }), fc.array(wire, { maxLength: 16 }), fc.array(frame, { maxLength: 3 }), fc.array(note, { maxLength: 3 }), (nodes, wires, frames, notes) => {
      const old = rects(nodes);
      const g: GraphDoc = {
        nodes: Object.fromEntries([...old.keys()].map((id) => [id, { op: "x" }])),
        wires: Object.fromEntries(wires.filter(([a, b]) => a < b && b < nodes.length).map(([a, b]) => [`${b}.in`, `${a}.out`])),
        frames: Object.fromEntries(frames.map((f, i) => [`f${i}`, f])), comments: Object.fromEntries(notes.map((n, i) => [`c${i}`, n])),
      };
      const moves = layout(g, old);
      const placed = [...old].map(([id, r]) => ({ id, ...r, x: moves.nodes![id]![0], y: moves.nodes![id]![1] }));
      const framed = Object.entries(moves.frames ?? {}).map(([id, [x, y]]) => ({ id, x, y, w: moves.frameSizes![id]![0], h: moves.frameSizes![id]![1] }));
      const comments = notes.map((n, i) => ({ x: moves.comments![`c${i}`]![0], y: moves.comments![`c${i}`]![1], w: n.size[0], h: n.size[1] }));
      const solid = [...placed, ...comments];
      solid.forEach((a, i) => solid.slice(i + 1).forEach((b) => expect(overlap(a, b)).toBe(false)));
      for (const f of framed) for (const p of [...placed, ...framed.filter((o) => o !== f), ...comments]) expect(!overlap(f, p) || contains(f, p) || contains(p, f)).toBe(true);
    }), { numRuns: 60 });
  });
});

describe("optimistic edits", () => {
  const patch = (value: number, from = small()) => diff(from, setSetting(from, "add", "scale", value));
  test("an edit shows at once and stays when the server confirms it", () => {
    const o = new Optimistic(small());
    o.add(patch(5), "scale");
    expect(o.doc.nodes!.add!.settings!.scale).toBe(5);
    const sent = o.send()!;
    expect(o.send()).toBeUndefined();
    o.answered(sent.id);
    o.confirm(sent.patch);
    expect(o.waiting).toHaveLength(0);
    expect(o.doc.nodes!.add!.settings!.scale).toBe(5);
  });
  test("a refused edit is rolled back, and what stood on it falls too", () => {
    const o = new Optimistic(small());
    const add = o.add([{ op: "add", path: "/nodes/new", value: { op: "math.add" } }], "add");
    o.add([{ op: "add", path: "/nodes/new/title", value: "x" }], "title");
    o.send();
    expect(o.refuse(add.id).map((e) => e.label)).toEqual(["title"]);
    expect(o.doc).toEqual(small());
  });
  test("somebody else's edit goes below ours", () => {
    const o = new Optimistic(small());
    o.add(patch(5), "scale");
    o.remote([{ op: "replace", path: "/nodes/blur/at", value: [1, 2] }]);
    expect(o.doc.nodes!.blur!.at).toEqual([1, 2]);
    expect(o.doc.nodes!.add!.settings!.scale).toBe(5);
    expect(o.remote([{ op: "remove", path: "/nodes/add" }]).map((e) => e.label)).toEqual(["scale"]);
  });
  test("a drag that waits is one edit with one value", () => {
    const o = new Optimistic(small());
    o.add(patch(3), "scale", "drag");
    for (const v of [4, 5, 6]) o.add(patch(v, o.doc), "scale", "drag");
    expect(o.waiting).toHaveLength(1);
    expect(o.send()!.patch).toEqual(patch(6));
    o.add(patch(7, o.doc), "scale", "drag");
    expect(o.waiting).toHaveLength(2);
  });
  test("a fresh document tells of what was sent whether it has arrived, and keeps what was not sent yet", () => {
    const title: Patch = [{ op: "add", path: "/title", value: "t" }];
    for (const arrived of [false, true]) {
      const o = new Optimistic(small());
      o.add(patch(5), "scale");
      o.send();
      o.add(title, "title");
      o.reset(arrived ? apply(small(), patch(5)) : small());
      expect(o.doc).toEqual(apply(apply(small(), patch(5)), title));
      expect(o.waiting.map((e) => e.label)).toEqual(arrived ? ["title"] : ["scale", "title"]);
      expect(o.send()!.label).toBe(arrived ? "title" : "scale");
    }
    // Answered: it is in the document, or was taken back since.
    const o = new Optimistic(small());
    o.answered((o.add(patch(5), "scale"), o.send()!).id);
    o.reset(small());
    expect(o.doc).toEqual(small());
    // What it changed is gone.
    const gone = new Optimistic(small());
    gone.add(patch(5), "scale");
    gone.send();
    gone.reset({ ...small(), nodes: {} });
    expect(gone.waiting).toEqual([]);
  });
  test("squashing does not change what a patch does", () => {
    expect(squash([{ op: "add", path: "/a", value: 1 }, { op: "replace", path: "/a", value: 2 }, { op: "remove", path: "/b" }])).toEqual([{ op: "add", path: "/a", value: 2 }, { op: "remove", path: "/b" }]);
  });
});

describe("runs", () => {
  const n = (path: string, started: number, seconds: number, more: Partial<NodeReport> = {}): NodeReport => ({ path, state: "done", started, seconds, ...more });
  const run = (...nodes: NodeReport[]): RunReport => ({ state: "done", seconds: 3, nodes: Object.fromEntries(nodes.map((x) => [x.path, x])) });
  test("what runs at the same time has lanes of its own", () => {
    const t = timeline(run(n("a", 0, 1), n("b", 0.5, 1), n("c", 1, 1), n("d", 0, 0, { state: "cached" })));
    expect(t.bars.map((b) => [b.path, b.lane])).toEqual([["a", 0], ["b", 1], ["c", 0]]);
    expect(t).toMatchObject({ lanes: 2, end: 3 });
    for (const x of t.bars) for (const y of t.bars) if (x !== y && x.lane === y.lane) expect(x.start >= y.start + y.seconds - 1e-9 || y.start >= x.start + x.seconds - 1e-9).toBe(true);
  });
  test("shares add up to one", () => {
    expect(profileRows(run(n("a", 0, 1), n("b", 0, 3))).reduce((s, r) => s + r.share, 0)).toBeCloseTo(1, 12);
  });
  test("two runs, what changed most first, also what is only in one", () => {
    const c = compareRuns(run(n("a", 0, 1), n("b", 0, 1)), run(n("a", 0, 1.1), n("x", 0, 2)));
    expect(c.map((x) => x.path)).toEqual(["x", "b", "a"]);
    expect(c[0]!.a).toBeUndefined();
  });
  test("a group is as its most pressing node, and sums up their work", () => {
    const r = (path: string, state: NodeReport["state"], more: Partial<NodeReport> = {}): NodeReport => ({ path: "g/" + path, state, ...more });
    expect(aggregate("g", [r("a", "done", { seconds: 1 }), r("b", "cached"), r("c", "done", { seconds: 2 })], {})).toMatchObject({ state: "done", seconds: 3, progress: 1 });
    expect(aggregate("g", [r("a", "cached"), r("b", "cached")], {}).state).toBe("cached");
    expect(aggregate("g", [r("a", "done"), r("b", "running", { progress: 0.5, doing: "fit" })], {})).toMatchObject({ state: "running", progress: 0.75, doing: "b: fit" });
    expect(aggregate("g", [r("a", "error", { error: "no", advice: "do" }), r("b", "skipped")], {})).toMatchObject({ state: "error", error: "a: no", advice: "do" });
    expect(aggregate("g", [r("a", "warning", { warnings: ["w"] }), r("b", "done")], {}).warnings).toEqual(["a: w"]);
    expect(aggregate("g", [], {}).state).toBe("idle");
  });
  test("time left: earlier runs at first, its own pace later", () => {
    expect(secondsLeft({ path: "a", state: "running", expected_seconds: 10, progress: 0 }, 2)).toBe(8);
    expect(secondsLeft({ path: "a", state: "running", progress: 0.5 }, 4)).toBe(4);
    expect(secondsLeft({ path: "a", state: "running" }, 4)).toBeNaN();
    const late = secondsLeft({ path: "a", state: "running", expected_seconds: 10, progress: 0.9 }, 18);
    expect(late).toBeGreaterThan(1.7);
    expect(late).toBeLessThan(2.1);
  });
});
