// SPDX-License-Identifier: Apache-2.0
import { addNode, Catalogue, connect, type GraphDoc, moveItems, setSetting, topLevel } from "@larmor/graph";
import { describe, expect, test } from "vitest";
import { catalogue as json, examples } from "../dev/mock/catalogue.ts";
import { CanvasModel, itemOf, thumbnailPort } from "../src/canvas/model.ts";
import { commands } from "../src/shell/commands.ts";
import { commandOfKey, keyName, keysOf } from "../src/shell/keys.ts";
import { renderMarkdown } from "../src/ui/markdown.ts";

const catalogue = new Catalogue(json);
const build = (model: CanvasModel, g: GraphDoc) => new Map(model.build(topLevel(g), catalogue, true).map((n) => [n.id, n]));

describe("what React Flow draws", () => {
  test("only what changed is a new object, so only it is drawn again", () => {
    const model = new CanvasModel(), g = examples.dce!();
    const a = build(model, g);
    const b = build(model, setSetting(g, "fit", "Hct", 0.5));
    for (const [id, node] of a) expect(b.get(id) === node).toBe(id !== "fit");
    const c = build(model, moveItems(g, { nodes: { aif: [9, 9] } }));
    expect([...c].filter(([id, node]) => b.get(id) !== node).map(([id]) => id).sort()).toEqual(["aif", "fit"]);
  });
  test("a wire makes a repeated port grow", () => {
    const model = new CanvasModel();
    let g = addNode({}, { op: "array.cat" }, [0, 0]).graph;
    g = addNode(g, { op: "source.number" }, [0, 0]).graph;
    const before = build(model, g).get("cat")!;
    const after = build(model, connect(g, "number.value", "cat.in.1")).get("cat")!;
    expect(before.handles!.filter((h) => h.type === "target").map((h) => h.id)).toEqual(["in.1"]);
    expect(after.handles!.filter((h) => h.type === "target").map((h) => h.id)).toEqual(["in.1", "in.2"]);
    expect(after.height!).toBeGreaterThan(before.height!);
  });
  test("every wire ends at ports that are drawn", () => {
    const model = new CanvasModel(), g = examples.five_hundred!();
    const nodes = build(model, g), edges = model.edges(topLevel(g), catalogue, []);
    expect(edges).toHaveLength(Object.keys(g.wires!).length);
    for (const e of edges) {
      expect(nodes.get(e.source)!.handles!.some((h) => h.type === "source" && h.id === e.sourceHandle)).toBe(true);
      expect(nodes.get(e.target)!.handles!.some((h) => h.type === "target" && h.id === e.targetHandle)).toBe(true);
    }
  });
  test("an edit of one of 2,000 nodes leaves 1,999 alone", () => {
    const model = new CanvasModel(), g = examples.two_thousand!();
    const a = build(model, g), b = build(model, setSetting(g, "n1000", "sigma", 3));
    expect([...b].filter(([id, node]) => a.get(id) !== node).map(([id]) => id)).toEqual(["n1000"]);
  });
  test("ids of notes and ports do not meet those of nodes", () => {
    expect(itemOf("comment:c1")).toEqual({ kind: "comments", id: "c1" });
    expect(itemOf("$in").kind).toBe("ends");
    expect(itemOf("fit")).toEqual({ kind: "nodes", id: "fit" });
  });
  test("a thumbnail shows the first port with a picture", () => {
    const view = build(new CanvasModel(), examples.dce!()).get("fit")!;
    expect(view.type === "op" && thumbnailPort(view.data.view, catalogue)).toBe("Ktrans");
  });
});

describe("keys", () => {
  const press = (key: string, more: Partial<KeyboardEvent> = {}) => keyName({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });
  test("no key has two meanings, and every key has a command", () => {
    const all = Object.values(keysOf).flat();
    expect(new Set(all).size).toBe(all.length);
    for (const id of Object.keys(keysOf)) expect(commands.some((c) => c.id === id), id).toBe(true);
  });
  test("names of keys", () => {
    expect(commandOfKey(press("z", { ctrlKey: true }))).toBe("undo");
    expect(commandOfKey(press("Z", { ctrlKey: true, shiftKey: true }))).toBe("redo");
    expect(commandOfKey(press("?", { shiftKey: true }))).toBe("shortcuts");
    expect(commandOfKey(press("+", { shiftKey: true }))).toBe("zoom-in");
    expect(commandOfKey(press("x"))).toBeUndefined();
  });
});

describe("texts from graph files", () => {
  test("TeX within and between lines", () => {
    expect(renderMarkdown("a $x^2$ b")).toContain("katex");
    expect(renderMarkdown("$$\nx^2\n$$")).toContain("katex-display");
    expect(renderMarkdown("costs $5 and $6")).not.toContain("katex");
  });
  test("TeX that is wrong is shown, not thrown", () => expect(renderMarkdown("$\\frac{1}$")).toContain("katex-error"));
  test("nothing that runs, and nothing that loads from elsewhere", () => {
    expect(renderMarkdown('<img src=x onerror="alert(1)">')).not.toContain("<img");
    expect(renderMarkdown("![x](http://elsewhere/a.png)")).not.toContain("<img");
    expect(renderMarkdown("[x](javascript:alert(1))")).not.toContain("href");
    expect(renderMarkdown("$\\href{javascript:alert(1)}{x}$")).not.toContain("javascript:alert(1)\"");
    expect(renderMarkdown("$\\includegraphics{http://elsewhere/a.png}$")).not.toContain("<img");
    expect(renderMarkdown("[x](https://a.b)")).toContain('rel="noopener noreferrer"');
  });
});
