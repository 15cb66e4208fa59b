// SPDX-License-Identifier: Apache-2.0
// What hands do on the canvas: each feature is clicked.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { docOf, frames, moveOnto, node, openPage, port, press, rectOf, set, settled, skip, source, startStudio, state, until, valueOf } from "../harness.mjs";

const chain = () => ({
  larmor: 1, title: "Chain",
  nodes: { a: { op: "source.number", at: [0, 0], settings: { value: 2 } }, b: { op: "math.add", at: [300, 0], settings: { value: 1 } }, c: { op: "math.multiply", at: [600, 0], settings: { value: 10 } } },
  wires: { "b.a": "a.out", "c.a": "b.out" },
});

test("operations are searched, dragged onto the canvas and onto wires, put into wires and taken out", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: chain() });
  const { page, picture } = await openPage(t, studio.url);
  const doc = () => docOf(studio);
  // The palette: categories as people write them; letters in order find.
  const palette = page.getByTestId("palette");
  const categories = await palette.locator("button.palette-category").allInnerTexts();
  assert.ok(categories.some((c) => c.trim().startsWith("DCE")) && categories.some((c) => c.trim().startsWith("Files")), categories.join(", "));
  await page.getByTestId("palette-search").fill("shplgn");
  const first = await palette.locator(".palette-op").evaluateAll((all) => all.slice(0, 3).map((e) => e.dataset.testid));
  assert.ok(first.includes("palette-phantom.shepp_logan"), first.join(", "));
  await picture("canvas-search");
  // Dragged onto the canvas.
  const canvas = await page.getByTestId("canvas").boundingBox();
  await page.getByTestId("palette-phantom.shepp_logan").dragTo(page.getByTestId("canvas"), { targetPosition: { x: canvas.width / 2, y: canvas.height - 160 } });
  await until(async () => Object.values((await doc()).nodes).some((n) => n.op === "phantom.shepp_logan"));
  // Dragged onto a wire: it stands in it.
  await page.getByTestId("palette-search").fill("math.subtract");
  const out = await port(page, "a", "out", "out").locator(".react-flow__handle").boundingBox();
  const into = await port(page, "b", "in", "a").locator(".react-flow__handle").boundingBox();
  await page.getByTestId("palette-math.subtract").dragTo(page.getByTestId("canvas"), { targetPosition: { x: (out.x + into.x) / 2 + 5 - canvas.x, y: (out.y + into.y) / 2 + 5 - canvas.y } });
  await until(async () => (await doc()).wires["b.a"] === "subtract.out");
  assert.equal((await doc()).wires["subtract.a"], "a.out");
  await page.getByTestId("palette-search").fill("");
  // Taken out, and the wire is whole again.
  await press(page, "subtract", "Control+Delete");
  await until(async () => (await doc()).wires["b.a"] === "a.out");
  // A node that lies there, dropped on the wire.
  await page.keyboard.press("Tab");
  await page.getByTestId("quick-add-search").fill("math.divide");
  await picture("canvas-quick-add");
  await page.keyboard.press("Enter");
  await node(page, "divide").waitFor();
  await page.getByTestId("fit").click();
  await settled(page);
  await moveOnto(page, "divide", async () => {
    const from = await port(page, "b", "out", "out").locator(".react-flow__handle").boundingBox();
    const to = await port(page, "c", "in", "a").locator(".react-flow__handle").boundingBox();
    return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
  });
  await until(async () => (await doc()).wires["c.a"] === "divide.out");
  assert.equal((await doc()).wires["divide.a"], "b.out");
  // A click on a wire looks at what flows in it.
  await state(page, "b", "done", "cached");
  await page.getByTestId("canvas").click({ position: { x: 40, y: canvas.height - 60 } });
  await page.locator("[data-wire='b.a']").click({ force: true });
  await page.getByTestId("probe-tile-a.out").waitFor();
});

test("copies go across tabs, with the wires that fed them; settings are undone and redone", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: chain() });
  const { page, picture } = await openPage(t, studio.url, { latency: 200 });  // an edit is undone before its answer is there
  const graphs = async () => (await studio.get("/api/graphs")).map((g) => g.id);
  const [first] = await graphs();
  // In the same graph: with upstream wires the copy is fed as the original.
  await press(page, "b", "Control+c");
  await page.keyboard.press("Control+Shift+v");
  await until(async () => (await docOf(studio)).nodes.b_2);
  assert.equal((await docOf(studio)).wires["b_2.a"], "a.out");
  await page.keyboard.press("Control+z");
  await until(async () => !(await docOf(studio)).nodes.b_2);
  // Across tabs: nodes and the wires among them.
  await page.keyboard.press("Control+a");
  await page.waitForFunction(() => document.querySelectorAll(".react-flow__node.selected").length === 3);
  await until(async () => /^3 chosen/.test(await page.getByTestId("selection-bar").innerText()));
  await page.keyboard.press("Control+c");
  await page.waitForFunction(async () => (await navigator.clipboard.readText()).includes("math.multiply"));
  await page.getByTitle("New graph").click();
  await until(async () => (await graphs()).length === 2);
  const second = (await graphs()).find((g) => g !== first);
  await page.waitForFunction((id) => document.querySelector(`[data-testid='tab-${id}']`)?.classList.contains("active"), second);
  await page.locator(".canvas-empty").waitFor();
  const pasted = async () => Object.keys((await docOf(studio, second)).nodes ?? {}).length;
  await page.keyboard.press("Control+v");
  await until(async () => (await pasted()) === 3);
  assert.deepEqual((await docOf(studio, second)).wires, chain().wires);
  await picture("canvas-tabs");
  // Tabs by keys; each keeps its graph.
  await page.keyboard.press("Alt+PageUp");
  await page.waitForFunction((id) => document.querySelector(`[data-testid='tab-${id}']`).classList.contains("active"), first);
  // A setting, undone and redone.
  await node(page, "a").locator(".node-head").click();
  await set(page, "value", "7");
  await until(async () => (await docOf(studio)).nodes.a.settings.value === 7);
  await page.getByTestId("undo").click();
  await until(async () => (await docOf(studio)).nodes.a.settings.value === 2);
  await until(async () => (await page.getByTestId("setting-value").inputValue()) === "2");
  await page.getByTestId("redo").click();
  await until(async () => (await docOf(studio)).nodes.a.settings.value === 7);
  // Kept without saving: the mark says so, and closing asks.
  assert.match(await page.getByTestId("saved-mark").innerText(), /Autosaved/);
  await page.getByTestId(`tab-${first}`).getByTitle("Close").click();
  await page.getByTestId("close-discard").waitFor();
  await page.keyboard.press("Escape");
});

test("groups are made, entered, left and dissolved; a pipeline that comes along is entered and copied", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: chain() });
  const { page, picture } = await openPage(t, studio.url);
  const doc = () => docOf(studio);
  await node(page, "b").locator(".node-head").click();
  await node(page, "c").locator(".node-head").click({ modifiers: ["Shift"] });
  await page.getByTestId("selection-bar").waitFor();
  await page.keyboard.press("Control+g");
  await page.getByTestId("ask-field").fill("Scale");
  await page.keyboard.press("Enter");
  await node(page, "Scale").waitFor();
  await until(async () => Object.keys((await doc()).definitions ?? {}).join() === "Scale");
  await state(page, "Scale", "done", "cached");
  await node(page, "Scale").locator(".node-head").dblclick();
  await page.getByTestId("breadcrumb").waitFor();
  await node(page, "c").waitFor();
  await picture("canvas-group");
  // Changed inside, and the outside follows.
  await node(page, "c").locator(".node-head").click();
  await set(page, "value", "100");
  await until(async () => (await doc()).definitions.Scale.nodes.c.settings.value === 100);
  // Promoted, it is a setting of the group, and is changed from there.
  await page.getByTestId("more-value").click();
  await page.getByTestId("promote-value").click();
  await until(async () => (await doc()).definitions.Scale.settings?.value?.node === "c");
  await page.keyboard.press("Escape");
  await page.getByTestId("canvas").click({ position: { x: 30, y: 300 } });
  await page.keyboard.press("Control+ArrowUp");
  await node(page, "Scale").locator(".node-head").click();
  await set(page, "value", "3");
  await until(async () => (await doc()).nodes.Scale.settings?.value === 3);
  await until(async () => (await valueOf(studio, "Scale.out")) === 9);
  await picture("canvas-promoted");
  await press(page, "Scale", "Control+Shift+g");
  await node(page, "c").waitFor();
  await until(async () => (await doc()).wires["c.a"] === "b.out");
  assert.equal((await doc()).definitions, undefined);
  // A pipeline that comes with the program: entered, looked at, not changed; its copy is.
  await page.keyboard.press("Tab");
  await page.getByTestId("quick-add-search").fill("graph:dce");
  await page.getByTestId("quick-add-graph:dce").click();
  await node(page, "dce").waitFor();
  await node(page, "dce").locator(".node-head").dblclick();
  await page.getByTestId("copy-shipped").waitFor();
  await node(page, "fit").waitFor();
  await settled(page);
  await picture("canvas-shipped");
  await press(page, "fit", "Delete");
  await page.getByTestId("toasts").getByText(/comes with Larmor/).waitFor();
  assert.equal(await node(page, "fit").count(), 1);
  await page.getByTestId("copy-shipped").click();
  await until(async () => Object.keys((await doc()).definitions ?? {}).length === 1);
  await press(page, "fit", "Delete");
  await until(async () => !Object.values((await doc()).definitions)[0].nodes.fit);
  assert.equal(await node(page, "fit").count(), 0);
});

test("notes, frames, rows and columns, the map of all, and finding", { skip, timeout: 300000 }, async (t) => {
  const graph = chain();
  for (const [n, at] of Object.entries({ b: [310, 190], c: [560, 330] })) graph.nodes[n].at = at;
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  const doc = () => docOf(studio);
  const canvas = await page.getByTestId("canvas").boundingBox();
  // Several are chosen with a box; lines and columns.
  await page.keyboard.down("Shift");
  const [ra, rc] = [await rectOf(page, "a"), await rectOf(page, "c")];
  await page.mouse.move(ra.x - 30, ra.y - 30);
  await page.mouse.down();
  await page.mouse.move(rc.x + rc.width + 25, rc.y + rc.height + 25, { steps: 6 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  assert.match(await page.getByTestId("selection-bar").innerText(), /3 chosen/);
  await page.getByTestId("selection-bar").getByTitle("Align top").click();
  await until(async () => new Set(Object.values((await doc()).nodes).map((n) => n.at?.[1])).size === 1);
  await page.keyboard.press("Control+z");
  await until(async () => (await doc()).nodes.c.at[1] === 330);
  await until(async () => (await rectOf(page, "c")).y - (await rectOf(page, "a")).y > 100);  // seen, too: what follows acts on what is seen
  await page.getByTestId("selection-bar").getByTitle("Equal gaps across").click();
  await until(async () => (await doc()).nodes.b.at[0] !== 310);
  await page.keyboard.press("ArrowDown");
  await until(async () => (await doc()).nodes.a.at?.[1] === 10);
  // A frame around them, which takes them along.
  await page.keyboard.press("f");
  await page.getByTestId("frame-f1").waitFor();
  const before = (await doc()).nodes.b.at;
  const title = await page.getByTestId("frame-f1").locator(".frame-title").boundingBox();
  await page.mouse.move(title.x + 20, title.y + 6);
  await page.mouse.down();
  await page.mouse.move(title.x + 60, title.y + 46, { steps: 5 });
  await page.mouse.up();
  await until(async () => (await doc()).nodes.b.at[0] !== before[0]);
  // Laid out along the wires: nothing overlaps, and what the frame held it holds.
  await page.getByTestId("canvas").click({ position: { x: 20, y: canvas.height - 40 } });
  await page.keyboard.press("l");
  await until(async () => {
    const { a, b, c } = (await doc()).nodes;
    return b.at[0] > a.at[0] + 170 && c.at[0] > b.at[0] + 170;
  });
  await settled(page);
  // Looked at until it holds: the canvas may begin to glide when sizes come late, between one look and the next.
  await until(async () => {
    const rects = await Promise.all(["a", "b", "c"].map((n) => rectOf(page, n)));
    const frame = await page.getByTestId("frame-f1").boundingBox();
    const toTheRight = rects.slice(1).every((r, i) => r.x >= rects[i].x + rects[i].width);
    return toTheRight && rects.every((r) => r.x > frame.x && r.y > frame.y &&
      r.x + r.width < frame.x + frame.width && r.y + r.height < frame.y + frame.height);
  });
  // A comment in Markdown with TeX.
  await page.mouse.move(canvas.x + canvas.width / 2, canvas.y + 60);
  await page.keyboard.press("c");
  await page.locator(".comment textarea").fill("## Signal\n**Bold**, and $S = S_0 e^{-b D}$");
  await page.locator(".comment textarea").press("Control+Enter");
  await page.locator(".comment .katex").waitFor();
  assert.equal(await page.locator(".comment h2").innerText(), "Signal");
  await picture("canvas-notes");
  // The small map goes elsewhere and back.
  const seen = await rectOf(page, "a");
  const map = await page.getByTestId("minimap").boundingBox();
  await page.mouse.click(map.x + map.width - 6, map.y + map.height - 6);
  await until(async () => (await node(page, "a").count()) === 0 || Math.abs((await rectOf(page, "a")).x - seen.x) > 50);
  // Found by what it does.
  await page.keyboard.press("Control+f");
  await page.getByTestId("find-search").fill("multiply");
  await picture("canvas-find");
  await page.keyboard.press("Enter");
  await until(async () => /selected/.test(await node(page, "c").getAttribute("class")));
  await settled(page);
  // Folded, and by the keyboard only: choose what feeds it, show everything, dark.
  await page.keyboard.press("h");
  await until(async () => (await doc()).nodes.c.folded === true);
  await page.keyboard.press("[");
  await until(async () => (await page.locator(".node.selected").count()) >= 3);
  await page.keyboard.press("Alt+t");
  await page.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  await page.keyboard.press("1");
  await settled(page);
  await picture("canvas-dark");
  await page.keyboard.press("?");
  await page.getByText("Keyboard shortcuts").first().waitFor();
  await picture("canvas-keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByTestId("commands-search").fill("fold");
  await page.keyboard.press("Enter");
  await until(async () => (await doc()).nodes.a.folded === true);  // all that are chosen
});

test("a window that becomes small shows all of a graph, with its wires", { skip, timeout: 300000 }, async (t) => {
  const graph = JSON.parse(readFileSync(join(source, "examples/graphs/sense.json"), "utf8"));
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url, { width: 1280, height: 800 });
  const all = Object.keys(graph.wires).length + Object.values(graph.inputs).flatMap((i) => i.to).length + Object.values(graph.outputs).filter((o) => o.from).length;
  const wires = () => page.locator(".react-flow__edge").count();
  const zoom = () => page.evaluate(() => new DOMMatrix(getComputedStyle(document.querySelector(".react-flow__viewport")).transform).a);
  await until(async () => (await wires()) === all);
  await settled(page);
  const before = await zoom();
  assert.ok(before > 0.2, `ports are drawn at ${before}`);
  // The nodes at the right are out of view for a moment, and come back where ports are not drawn.
  await page.setViewportSize({ width: 1024, height: 600 });
  await until(async () => (await zoom()) < 0.2);
  await settled(page);
  await frames(page, 10);
  assert.equal(await wires(), all);
  await picture("canvas-small");
});

test("very long names and low windows leave room for the graph", { skip, timeout: 300000 }, async (t) => {
  const long = "a_name_that_a_script_has_made_of_everything_it_knew_about_the_scan_and_of_the_date_too";
  const graph = {
    larmor: 1, title: long, inputs: { [long]: { type: "array", what: "nothing", required: false, to: ["b.a"] } },
    nodes: { a: { op: "source.number", at: [0, 0], title: long }, [long]: { op: "math.add", at: [300, 0] }, b: { op: "math.add", at: [700, 0], settings: { value: 1 } }, c: { op: "dce.aif_model", at: [300, 260] } },
    wires: { [`${long}.a`]: "a.out", "b.b": `${long}.out` }, dashboards: { page: { title: long, items: [{ kind: "setting", node: "c", setting: "Hct", x: 0, y: 0, w: 3, h: 1 }] } },
  };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url, { width: 1024, height: 600 });
  await state(page, long, "done", "cached");
  await settled(page);
  // Names are cut where they lie, and the whole page stays as wide as the window.
  const zoom = await page.evaluate(() => new DOMMatrix(getComputedStyle(document.querySelector(".react-flow__viewport")).transform).a);
  const ends = await page.locator(".react-flow__node-ends").boundingBox();
  assert.ok(ends.width / zoom <= 261, `inputs are ${ends.width / zoom} wide`);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1024);
  await node(page, long).locator(".node-head").click();
  await picture("canvas-long");
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 1024);
  const [undo, side] = [await page.getByTestId("undo").boundingBox(), await page.getByTestId("inspector").boundingBox()];
  assert.ok(undo.x + undo.width <= side.x, "the title of a dashboard leaves room for undo");
  const id = await page.getByTestId("node-id").boundingBox();
  assert.ok(id.height < 30 && id.x + id.width <= side.x + side.width, "the name of the node lies on one line");
  // With a panel open in a low window the map of all goes: it would hide a third of the canvas.
  assert.ok(await page.locator(".minimap").isVisible());
  await page.getByTestId("toggle-dock").click();
  await page.locator(".minimap").waitFor({ state: "hidden" });
  await page.getByTestId("toggle-dock").click();
  // On a dashboard the entry of a setting stays inside its tile.
  await page.getByTestId("page-page").click();
  const tile = await page.locator(".tile.setting").boundingBox(), entry = await page.locator(".tile.setting input.field").boundingBox();
  assert.ok(entry.x >= tile.x && entry.x + entry.width <= tile.x + tile.width, "the entry lies in its tile");
  await picture("canvas-long-dashboard");
});
