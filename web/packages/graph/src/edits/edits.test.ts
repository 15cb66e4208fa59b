// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freshId, type GraphDoc } from "../document.ts";
import { changeAt, enter, levelAt, topLevel } from "../level.ts";
import { nodeView } from "../node_view.ts";
import { apply, diff } from "../patch.ts";
import { catalogue, faults, meaning, small } from "../testing.ts";
import { clipCorner, copy, parseClip, paste } from "./clipboard.ts";
import { addDashboard, addItem, changeItem, dashboardColumns, freePlace, remapDashboards, reorderItem } from "./dashboards.ts";
import { demote, EditError, group, makeUnique, promote, removeGraphPort, renameGraphPort, ungroup } from "./groups.ts";
import { addNode, changeNode, moveItems, removeItems, renameNode, setMode, setPolicy, setPort, setSetting, setSweep } from "./nodes.ts";
import { addComment, addFrame, changeComment } from "./notes.ts";
import { bridge, connect, connectInput, connectOutput, disconnect, downstream, insertOnWire, rewire, upstream, wouldCycle } from "./wires.ts";

const types = {
  input: (ref: string) => ({ type: ref.includes("blur") ? "image" : "array" }),
  output: (ref: string) => ({ type: ref.includes("read") ? "image" : "array" }),
};
const groupOf = (g: GraphDoc, ...nodes: string[]) => group(topLevel(g), { nodes }, "part", types);

describe("laws of edits", () => {
  // Any edits in any order: the document stays whole, and the patch is the edit.
  const names = fc.constantFrom("read", "blur", "add", "cat", "part", "blur_2", "add_2", "read_2");
  type Step = (g: GraphDoc) => GraphDoc;
  const attempt = (f: Step): Step => (g) => {
    try {
      return f(g);
    } catch (e) {
      if (e instanceof EditError) return g;
      throw e;
    }
  };
  const outs = (g: GraphDoc) => Object.keys(g.nodes ?? {}).flatMap((id) => nodeView(topLevel(g), id, catalogue).outputs.map((p) => `${id}.${p.name}`));
  const ins = (g: GraphDoc) => Object.keys(g.nodes ?? {}).flatMap((id) => nodeView(topLevel(g), id, catalogue).inputs.map((p) => `${id}.${p.name}`));
  const step: fc.Arbitrary<Step> = fc.oneof(
    fc.constantFrom("io.read", "math.add", "math.blur", "array.cat").map((op): Step => (g) => addNode(g, { op }, [1.4, 2.6]).graph),
    fc.subarray(["read", "blur", "add", "cat", "part", "blur_2"], { minLength: 1 }).map((nodes): Step => (g) => removeItems(g, { nodes })),
    fc.tuple(fc.nat(), fc.nat()).map(([i, j]): Step => (g) => {
      const o = outs(g), t = ins(g);
      if (!o.length || !t.length) return g;
      const from = o[i % o.length]!, to = t[j % t.length]!;
      return wouldCycle(g, from.split(".")[0]!, to.split(".")[0]!) ? g : connect(g, from, to);
    }),
    fc.nat().map((i): Step => (g) => {
      const w = Object.keys(g.wires ?? {});
      return w.length ? disconnect(g, w[i % w.length]!) : g;
    }),
    fc.tuple(names, fc.integer()).map(([id, v]): Step => (g) => setSetting(g, id, "scale", v)),
    names.map((id): Step => (g) => renameNode(g, id, "other").graph),
    fc.subarray(["read", "blur", "add", "cat", "part"], { minLength: 1 }).map((nodes) => attempt((g) => group(topLevel(g), { nodes }, "part", types).graph)),
    names.map((id) => attempt((g) => ungroup(topLevel(g), id).graph)),
    fc.subarray(["read", "blur", "add", "cat", "part"], { minLength: 1 }).map((nodes): Step => (g) => paste(topLevel(g), copy(topLevel(g), { nodes }), [10, 10], true).graph),
    names.map((id) => attempt((g) => makeUnique(topLevel(g), id))),
    fc.tuple(names, fc.boolean()).map(([id, on]): Step => (g) => setPort(g, id, "scale", on)),
    fc.nat().map((i): Step => (g) => {
      const t = ins(g);
      return t.length ? connectInput(g, null, t[i % t.length]!, "array").graph : g;
    }),
    fc.nat().map((i): Step => (g) => {
      const o = outs(g);
      return o.length ? connectOutput(g, null, o[i % o.length]!, "array").graph : g;
    }),
  );

  test("a document stays whole, and applying the patch gives the edited document", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      let g = small();
      for (const s of steps) {
        const next = s(g);
        expect(apply(g, diff(g, next))).toEqual(next);
        expect(faults(next)).toEqual([]);
        g = next;
      }
    }), { seed: 7, numRuns: 300 });
  });

  test("grouping, and grouping again inside, does not change what is computed; ungrouping neither", () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 8 }), fc.subarray(["read", "blur", "add", "cat"], { minLength: 1 }), (steps, chosen) => {
      const g = steps.reduce((doc, s) => s(doc), small());
      const nodes = chosen.filter((id) => g.nodes?.[id]);
      if (!nodes.length) return;
      const before = meaning(g);
      const grouped = group(topLevel(g), { nodes }, "set", types);
      expect(meaning(grouped.graph)).toEqual(before);
      expect(meaning(ungroup(topLevel(grouped.graph), grouped.id).graph)).toEqual(before);
    }), { seed: 11, numRuns: 200 });
  });

  test("a pasted copy computes what the original does, when its upstream wires come along", () => {
    const g = small();
    const { graph, selection } = paste(topLevel(g), copy(topLevel(g), { nodes: ["blur", "add"] }), [0, 300], true);
    expect(selection.nodes).toEqual(["blur_2", "add_2"]);
    const without = meaning(g);
    const extra = meaning(graph).filter((line, i, all) => all.indexOf(line) !== i);
    expect(extra).toEqual(without.filter((line) => line.startsWith("math.")));
  });
});

describe("nodes", () => {
  test("ids are the end of the operation's, counted when taken", () => {
    let g: GraphDoc = {};
    const ids = [1, 2, 3].map(() => {
      const added = addNode(g, { op: "math.add" }, [0.4, 0.6]);
      g = added.graph;
      return added.id;
    });
    expect(ids).toEqual(["add", "add_2", "add_3"]);
    expect(g.nodes!.add!.at).toEqual([0, 1]);
    expect(freshId("my op!", {})).toBe("my_op");
    expect(freshId("ü", {})).toBe("node");
  });
  test("the first node of an empty document is one operation of the patch", () => {
    expect(diff({ larmor: 1 }, addNode({ larmor: 1 }, { op: "math.add" }, [0, 0]).graph)).toEqual([{ op: "add", path: "/nodes", value: { add: { op: "math.add", at: [0, 0] } } }]);
  });
  test("removing takes wires along and closes up the numbers of repeated ports", () => {
    const g = removeItems(small(), { nodes: ["add"] });
    expect(g.wires).toEqual({ "blur.in": "read.image", "cat.in.1": "read.image" });
  });
  test("removing the last leaves no empty maps", () => {
    expect(removeItems(small(), { nodes: ["read", "blur", "add", "cat"] })).toEqual({ larmor: 1 });
  });
  test("a move that is none changes nothing, so it is no edit", () => {
    const g = small();
    expect(moveItems(g, { nodes: { read: [0.2, -0.3] } })).toBe(g);
    expect(moveItems(g, { nodes: { read: [5, 5], gone: [1, 1] } }).nodes!.read!.at).toEqual([5, 5]);
  });
  test("a setting, back to its default, is not in the file", () => {
    const g = setSetting(small(), "add", "scale", undefined);
    expect(g.nodes!.add).toEqual({ op: "math.add", at: [400, 0] });
    expect(diff(small(), setSetting(small(), "add", "scale", 3))).toEqual([{ op: "replace", path: "/nodes/add/settings/scale", value: 3 }]);
  });
  test("sweeps, modes and policies come and go", () => {
    let g = setPolicy(setMode(setSweep(small(), "add", "scale", [1, 2]), ["add"], "bypass"), "add", "out", "spill");
    expect(g.nodes!.add).toMatchObject({ sweeps: { scale: [1, 2] }, mode: "bypass", policy: { out: "spill" } });
    g = setPolicy(setMode(setSweep(g, "add", "scale", undefined), ["add"], "normal"), "add", "out", "automatic");
    expect(g).toEqual(small());
  });
  test("a setting that is no port any more loses its wire", () => {
    let g = setPort(small(), "add", "scale", true);
    g = connect(g, "read.image", "add.scale");
    expect(setPort(g, "add", "scale", false)).toEqual(small());
  });
  test("a rename is followed by wires, ports and promoted settings", () => {
    let g = promote(small(), "add", "scale").graph;
    g = connectOutput(g, null, "add.out", "array").graph;
    const renamed = renameNode(g, "add", "sum of both").graph;
    expect(renamed.wires).toMatchObject({ "sum_of_both.a": "blur.out", "cat.in.1": "sum_of_both.out" });
    expect(renamed.settings!.scale!.node).toBe("sum_of_both");
    expect(renamed.outputs!.out!.from).toBe("sum_of_both.out");
  });
});

describe("wires", () => {
  test("an in-port has one wire", () => {
    expect(connect(small(), "read.image", "add.a").wires!["add.a"]).toBe("read.image");
  });
  test("a wire's end moves within a repeated port without loss", () => {
    const g = rewire(small(), "cat.in.1", "add.out", "cat.in.3");
    expect(g.wires).toMatchObject({ "cat.in.1": "read.image", "cat.in.2": "add.out" });
  });
  test("a node dropped on a wire stands between its ends", () => {
    const { graph, id } = addNode(small(), { op: "math.blur" }, [0, 0]);
    const g = insertOnWire(graph, "add.b", id, "in", "out");
    expect(g.wires).toMatchObject({ "blur_2.in": "read.image", "add.b": "blur_2.out" });
  });
  test("taking a node out of a wire joins its neighbours", () => {
    const g = removeItems(bridge(small(), "blur", "in", "out"), { nodes: ["blur"] });
    expect(g.wires!["add.a"]).toBe("read.image");
  });
  test("circles are seen at any distance", () => {
    expect(wouldCycle(small(), "cat", "read")).toBe(true);
    expect(wouldCycle(small(), "read", "cat")).toBe(false);
    expect(wouldCycle(small(), "add", "add")).toBe(true);
  });
  test("upstream and downstream", () => {
    expect([...upstream(small(), ["blur"])].sort()).toEqual(["blur", "read"]);
    expect([...downstream(small(), ["add"])].sort()).toEqual(["add", "cat"]);
  });
  test("a graph input takes the place of a wire, and a wire that of an input", () => {
    const { graph, name } = connectInput(small(), null, "add.a", "array");
    expect(name).toBe("a");
    expect(graph.wires!["add.a"]).toBeUndefined();
    expect(connect(graph, "blur.out", "add.a").inputs!.a).toEqual({ type: "array" });
  });
});

describe("groups", () => {
  test("one source that feeds two inner ports is one port", () => {
    const { graph, id, name } = groupOf(small(), "blur", "add");
    const d = graph.definitions![name]!;
    expect(Object.keys(d.inputs!)).toEqual(["in"]);
    expect(d.inputs!.in!.to!.sort()).toEqual(["add.b", "blur.in"]);
    expect(graph.wires).toEqual({ [`${id}.in`]: "read.image", "cat.in.1": `${id}.out`, "cat.in.2": "read.image" });
  });
  test("a group in a group brings its definition along, and both come apart again", () => {
    const one = groupOf(small(), "blur");
    const two = group(topLevel(one.graph), { nodes: [one.id, "add"] }, "outer", types);
    expect(Object.keys(two.graph.definitions!)).toEqual(["outer"]);
    expect(two.graph.definitions!.outer!.definitions!.part).toBeDefined();
    const back = ungroup(topLevel(two.graph), two.id);
    const flat = ungroup(topLevel(back.graph), one.id).graph;
    expect(flat.nodes).toMatchObject({ blur: { op: "math.blur" }, add: { op: "math.add" } });
    expect(flat.wires).toEqual(small().wires);
    expect(flat.definitions).toBeUndefined();
  });
  test("what nobody reads is an output of a group, so that it stays in sight", () => {
    const g = small();
    const last = Object.keys(g.nodes!).find((n) => !Object.values(g.wires!).some((from) => from.startsWith(n + ".")))!;
    const grouped = group(topLevel(g), { nodes: [last] }, "part", { ...types, outputs: () => ["out"] });
    expect(grouped.graph.definitions![grouped.name]!.outputs!.out!.from).toBe(`${last}.out`);
  });
  test("a promoted setting of a grouped node stays on the outside, and its value survives ungrouping", () => {
    const g = promote(small(), "add", "scale").graph;
    const grouped = group(topLevel(g), { nodes: ["add"] }, "part", types);
    expect(grouped.graph.settings!.scale).toMatchObject({ node: "part", setting: "scale" });
    const set = setSetting(grouped.graph, "part", "scale", 7);
    const view = nodeView(topLevel(set), "part", catalogue);
    expect(view.settings[0]).toMatchObject({ name: "scale", kind: "number", upper: 10, default: 2 });
    const flat = ungroup(topLevel(set), "part").graph;
    expect(flat.nodes!.add!.settings).toEqual({ scale: 7 });
    expect(flat.settings!.scale).toEqual({ node: "add", setting: "scale" });
  });
  test("values of settings promoted from deeper down survive too", () => {
    const one = group(topLevel(promote(small(), "add", "scale").graph), { nodes: ["add"] }, "inner", types);
    const two = group(topLevel(one.graph), { nodes: ["inner"] }, "outer", types);
    const flat = ungroup(topLevel(setSetting(two.graph, "outer", "scale", 9)), "outer").graph;
    expect(flat.nodes!.inner!.settings).toEqual({ scale: 9 });
  });
  test("a zone is not ungrouped, with the reason", () => {
    const { graph, id } = groupOf(small(), "blur");
    const zone = changeNode(graph, id, (n) => ({ ...n, loop: { kind: "repeat", times: 3 } }));
    expect(() => ungroup(topLevel(zone), id)).toThrow(/zone/);
    expect(() => ungroup(topLevel(zone), "read")).toThrow(EditError);
    expect(() => group(topLevel(zone), { nodes: [] }, "x", types)).toThrow(EditError);
  });
  test("copies share a definition until one is made unique", () => {
    const { graph, id, name } = groupOf(small(), "blur");
    const two = paste(topLevel(graph), copy(topLevel(graph), { nodes: [id] }), [0, 99]).graph;
    expect(two.nodes!.part_2!.graph).toBe(name);
    expect(Object.keys(two.definitions!)).toEqual([name]);
    const unique = makeUnique(topLevel(two), "part_2");
    expect(unique.nodes!.part_2!.graph).toBe("part_2");
    expect(unique.definitions!.part_2).toBe(two.definitions!.part);
    expect(makeUnique(topLevel(graph), id)).toBe(graph);
  });
  test("ports of a definition are renamed and removed in all its instances", () => {
    const { graph, id } = groupOf(small(), "blur");
    const level = enter(topLevel(graph), id)!;
    const renamed = renameGraphPort(graph, level, "inputs", "in", "image");
    expect(renamed.wires!["part.image"]).toBe("read.image");
    expect(renamed.definitions!.part!.inputs!.image!.to).toEqual(["blur.in"]);
    const removed = removeGraphPort(graph, level, "outputs", "out");
    expect(removed.wires!["add.a"]).toBeUndefined();
    expect(faults(removed)).toEqual([]);
  });
  test("an edit inside a definition is a patch at its place", () => {
    const { graph, id } = groupOf(small(), "blur");
    const level = levelAt(graph, [id]);
    const next = changeAt(graph, level, (d) => setSetting(d, "blur", "sigma", 3));
    expect(diff(graph, next)).toEqual([{ op: "add", path: "/definitions/part/nodes/blur/settings", value: { sigma: 3 } }]);
  });
  test("promote once, and take back", () => {
    const { graph, name } = promote(small(), "add", "scale");
    expect(promote(graph, "add", "scale").graph).toBe(graph);
    expect(demote(graph, name)).toEqual(small());
  });
});

describe("clipboard", () => {
  test("text that is no clip is none, and a whole graph is one", () => {
    expect(parseClip("hello")).toBeNull();
    expect(parseClip("[1]")).toBeNull();
    expect(parseClip('{"a":1}')).toBeNull();
    expect(Object.keys(parseClip(JSON.stringify(small()))!.nodes)).toHaveLength(4);
  });
  test("through text into another document, with its definitions under free names", () => {
    const { graph, id } = groupOf(small(), "blur");
    const clip = parseClip(JSON.stringify(copy(topLevel(graph), { nodes: [id] })))!;
    const other: GraphDoc = { definitions: { part: { title: "something else", nodes: {} } }, nodes: { x: { graph: "part" } } };
    const pasted = paste(topLevel(other), clip, [5, 5]);
    expect(pasted.graph.nodes!.part!.graph).toBe("part_2");
    expect(faults(pasted.graph)).toEqual([]);
    expect(pasted.graph.nodes!.part!.at).toEqual([5, 5]);
  });
  test("upstream wires only from nodes that are there", () => {
    const clip = copy(topLevel(small()), { nodes: ["add"] });
    expect(paste(topLevel({ nodes: { read: { op: "io.read" } } }), clip, [0, 0], true).graph.wires).toEqual({ "add.b": "read.image" });
  });
  test("comments and frames come along at their places", () => {
    let g = addComment(small(), [-40, -50], "$x^2$").graph;
    g = addFrame(g, [-60, -70], [500, 300], "All").graph;
    const clip = copy(topLevel(g), { nodes: ["read"], comments: ["c1"], frames: ["f1"] });
    expect(clipCorner(clip)).toEqual([-60, -70]);
    const p = paste(topLevel(g), clip, [0, 0]);
    expect(p.selection).toEqual({ nodes: ["read_2"], comments: ["c1_2"], frames: ["f1_2"] });
    expect(p.graph.comments!.c1_2!.at).toEqual([20, 20]);
    expect(changeComment(p.graph, "c1", { colour: "" }).comments!.c1).not.toHaveProperty("colour");
  });
});

describe("dashboards", () => {
  test("items find the first free place, and stay inside the columns", () => {
    const main = addDashboard({}, "Main"), name = main.name;
    let g = main.graph;
    for (let i = 0; i < 5; i++) g = addItem(g, name, { kind: "setting", node: "add", setting: "scale" });
    expect(g.dashboards![name]!.items!.map((i) => [i.x, i.y])).toEqual([[0, 0], [3, 0], [6, 0], [9, 0], [0, 1]]);
    g = changeItem(g, name, 0, { x: 99, w: 4.4, h: 0 });
    expect(g.dashboards![name]!.items![0]).toMatchObject({ x: dashboardColumns - 4, w: 4, h: 1 });
    expect(freePlace([{ kind: "text", x: 0, y: 0, w: 12, h: 2 }], 6, 1)).toEqual({ x: 0, y: 2 });
    expect(reorderItem(g, name, 0, 4).dashboards![name]!.items![4]).toBe(g.dashboards![name]!.items![0]);
  });
  test("an item stays where it was put, and afterwards none covers another", () => {
    const item = fc.record({ kind: fc.constant("text" as const), x: fc.nat(8), y: fc.nat(8), w: fc.integer({ min: 1, max: 4 }), h: fc.integer({ min: 1, max: 4 }) });
    fc.assert(fc.property(fc.array(item, { minLength: 1, maxLength: 9 }), fc.nat(8), fc.nat(8), (raw, x, y) => {
      const made = addDashboard({}, "Main");
      // Begins without overlaps, as every dashboard does.
      const g = raw.reduce((doc, i) => addItem(doc, made.name, i), made.graph);
      const last = raw.length - 1;
      const items = changeItem(g, made.name, last, { x, y }).dashboards![made.name]!.items!;
      const covers = items.some((a, i) => items.some((b, j) => i < j && a.x! < b.x! + b.w! && b.x! < a.x! + a.w! && a.y! < b.y! + b.h! && b.y! < a.y! + a.h!));
      expect(covers).toBe(false);
      expect(items[last]).toMatchObject({ x: Math.min(x, dashboardColumns - items[last]!.w!), y });
    }), { seed: 9 });
  });
  test("items follow nodes into groups", () => {
    const main = addDashboard({}, "Main"), name = main.name;
    let g = main.graph;
    g = addItem(g, name, { kind: "viewer", port: "fit.Ktrans" });
    g = addItem(g, name, { kind: "setting", node: "fit", setting: "Hct" });
    const moved = remapDashboards(g, (n) => (n === "fit" ? "dce/fit" : n)).dashboards![name]!.items!;
    expect(moved[0]!.port).toBe("dce/fit.Ktrans");
    expect(moved[1]!.node).toBe("dce/fit");
  });
});
