// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { Catalogue } from "./catalogue.ts";
import { offers, portsForBridge, portsForWire, refusal } from "./compat.ts";
import type { GraphDoc } from "./document.ts";
import { copy } from "./edits/clipboard.ts";
import { makeUnique } from "./edits/groups.ts";
import { changeAt, enter, isShipped, levelAt, topLevel } from "./level.ts";
import { nodeView, portTypeOf } from "./node_view.ts";
import { atRound, historyZone, withoutRounds } from "./rounds.ts";
import { catalogue, small } from "./testing.ts";

describe("types", () => {
  test("a value is read as its ancestors and by the built-in readings, not the other way", () => {
    expect(catalogue.accepts("array", "image")).toBe(true);
    expect(catalogue.accepts("image", "array")).toBe(false);
    expect(catalogue.accepts("array", "number")).toBe(true);
    expect(catalogue.accepts("number", "array")).toBe(true);
    expect(catalogue.accepts("number", "image")).toBe(false);
    expect(catalogue.accepts("list", "text")).toBe(true);
    expect(catalogue.accepts("any", "text")).toBe(true);
  });
  test("a refusal says what is needed and what is there", () => {
    expect(catalogue.refusal("image", "text")).toBe("an image is needed and this is a text");
    expect(catalogue.refusal("array", "image")).toBe("");
  });
  test("colours come from the nearest ancestor that has one", () => {
    expect(catalogue.colour("image")).toBe("#345");
    expect(catalogue.colour("what")).toMatch(/^#/);
  });
});

describe("ports of nodes", () => {
  const level = topLevel(small());
  test("a repeated port shows its wires and a free one", () => {
    expect(nodeView(level, "cat", catalogue).inputs.map((p) => p.name)).toEqual(["in.1", "in.2", "in.3"]);
  });
  test("settings that are ports, with the type of the setting", () => {
    const g = { ...small(), nodes: { ...small().nodes, add: { op: "math.add", ports: ["scale"] } } };
    expect(nodeView(topLevel(g), "add", catalogue).inputs.at(-1)).toMatchObject({ name: "scale", type: "number", setting: true, required: false });
    expect(portTypeOf({ name: "c", kind: "choice" })).toBe("text");
  });
  test("an unknown operation is a broken node that keeps its wires", () => {
    const g = small();
    g.nodes!.blur!.op = "math.glow";
    const view = nodeView(topLevel(g), "blur", catalogue);
    expect(view).toMatchObject({ kind: "broken", problem: "no operation called 'math.glow'" });
    expect(view.inputs.map((p) => p.name)).toEqual(["in"]);
    expect(view.outputs.map((p) => p.name)).toEqual(["out"]);
  });
  test("a wire to a port that the operation does not have is still drawn", () => {
    const g = small();
    g.wires!["blur.mask"] = "read.image";
    expect(nodeView(topLevel(g), "blur", catalogue).inputs.at(-1)).toMatchObject({ name: "mask", type: "any" });
  });
  test("levels: a path that has gone ends at what is left of it", () => {
    const g = { nodes: { a: { graph: "d" } }, definitions: { d: { nodes: { b: { graph: "e" } }, definitions: { e: {} } } } };
    expect(levelAt(g, ["a", "b"]).pointer).toBe("/definitions/d/definitions/e");
    expect(levelAt(g, ["a", "x", "y"]).path).toEqual(["a"]);
    expect(enter(topLevel(g), "nobody")).toBeUndefined();
  });
  test("a graph that comes with the program can be entered, and changed in a copy only", () => {
    const library = { pipe: { title: "Pipe", inputs: { in: { type: "image", to: ["b.in"] } }, nodes: { b: { op: "math.blur" } } } };
    const doc: GraphDoc = { nodes: { a: { graph: "pipe" }, c: { graph: "pipe" } } };
    const inside = levelAt(doc, ["a"], library);
    expect(isShipped(inside)).toBe(true);
    expect(inside.graph).toBe(library.pipe);
    expect(nodeView(topLevel(doc, library), "a", catalogue)).toMatchObject({ kind: "graph", title: "Pipe", enterable: true });
    expect(nodeView(topLevel(doc), "a", catalogue).kind).toBe("broken");
    expect(changeAt(doc, inside, (g) => ({ ...g, title: "changed" }))).toBe(doc);
    expect(copy(topLevel(doc, library), { nodes: ["a"] }).definitions ?? {}).toEqual({}); // every server has it
    const own = makeUnique(topLevel(doc, library), "a");
    const name = own.nodes!.a!.graph!;
    expect(name).not.toBe("pipe");
    expect(own.nodes!.c!.graph).toBe("pipe");
    expect(isShipped(levelAt(own, ["a"], library))).toBe(false);
    // One of the document comes first.
    expect(levelAt({ ...doc, definitions: { pipe: { title: "Mine" } } }, ["a"], library).graph.title).toBe("Mine");
  });
  test("the history of a loop is found from ports inside and of the loop itself", () => {
    const doc: GraphDoc = {
      nodes: { loop: { graph: "d", loop: { kind: "repeat", times: 3, history: true } }, plain: { graph: "d" } },
      definitions: { d: { nodes: { blur: { op: "math.blur" }, deep: { graph: "e" } }, definitions: { e: { nodes: { x: { op: "math.blur" } } } } } },
    };
    expect(historyZone(doc, "loop/blur.out")).toBe("loop");
    expect(historyZone(doc, "loop/deep/x.out")).toBe("loop");
    expect(historyZone(doc, "loop.out")).toBe("loop");
    expect(historyZone(doc, "plain/blur.out")).toBeNull();
    expect(historyZone(doc, "gone.out")).toBeNull();
    expect(atRound("loop/deep/x.out", "loop", 2)).toBe("loop@2/deep/x.out");
    expect(atRound("loop.out", "loop", 2)).toBe("loop.out@2");
    expect(withoutRounds("loop@2/deep/x.out@11")).toBe("loop/deep/x.out");
  });
  test("categories are called what the server says", () => {
    const told = new Catalogue({ types: {}, ops: [], categories: { dce: { title: "DCE" } } });
    expect(told.categoryTitle("dce")).toBe("DCE");
    expect(told.categoryTitle("mine")).toBe("mine");
  });
});

describe("compatibility", () => {
  const g = small();
  const held = { node: "read", port: "image", side: "out", type: "image" } as const;
  test("refusals of a held wire", () => {
    const port = (type: string) => ({ name: "x", type });
    expect(refusal(g, catalogue, held, { node: "add", port: port("array"), side: "in" })).toBe("");
    expect(refusal(g, catalogue, held, { node: "add", port: port("text"), side: "in" })).toMatch(/a text is needed/);
    expect(refusal(g, catalogue, held, { node: "add", port: port("array"), side: "out" })).toMatch(/in-port/);
    expect(refusal(g, catalogue, held, { node: "read", port: port("array"), side: "in" })).toMatch(/itself/);
    expect(refusal(g, catalogue, { ...held, node: "cat", type: "array" }, { node: "blur", port: port("array"), side: "in" })).toMatch(/circle/);
    expect(refusal(g, catalogue, { node: "cat", port: "in.3", side: "in", type: "array" }, { node: "add", port: port("array"), side: "out" })).toBe("");
  });
  test("offers for a wire in the void: exact types first, nothing that cannot", () => {
    expect(offers(catalogue, held).map((o) => o.op.id)).toEqual(["math.blur", "math.add", "array.cat"]);
    expect(offers(catalogue, { side: "in", type: "image" }).map((o) => o.op.id)).toEqual(["math.blur", "io.read"]);
  });
  test("ports for a place in a wire, and for the bridge when a node goes", () => {
    const added = { ...g, nodes: { ...g.nodes, b: { op: "math.blur" } } };
    expect(portsForWire(catalogue, added, "b", nodeView(topLevel(added), "b", catalogue), "image", "array")).toEqual({ input: "in", output: "out" });
    expect(portsForWire(catalogue, added, "b", nodeView(topLevel(added), "b", catalogue), "text", "array")).toBeNull();
    expect(portsForBridge(catalogue, g, "blur", nodeView(topLevel(g), "blur", catalogue))).toEqual({ input: "in", output: "out" });
  });
});
