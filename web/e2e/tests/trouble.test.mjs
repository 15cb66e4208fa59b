// SPDX-License-Identifier: Apache-2.0
// Graphs that are wrong, and graphs that come along, as a new user meets them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { connect, docOf, moveOnto, node, openPage, set, settled, skip, source, startStudio, state, until, valueOf } from "../harness.mjs";

test("an operation that nobody knows stays with its wires and settings, and what is wrong is said", { skip, timeout: 300000 }, async (t) => {
  const graph = {
    larmor: 1, title: "Broken",
    nodes: {
      a: { op: "source.number", at: [0, 0], settings: { value: 2 } }, gone: { op: "lab.wavlet", at: [300, 0], settings: { level: 3 } },
      after: { op: "math.add", at: [600, 0] }, wild: { op: "phantom.shepp_logan", at: [0, 260], settings: { oversample: 99 } },
      file: { op: "io.read_npy", at: [300, 260], settings: { path: "nowhere.npy" } },
    },
    wires: { "gone.in": "a.out", "after.a": "gone.out" },
  };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "a", "done", "cached");
  assert.match(await node(page, "gone").getAttribute("class"), /broken/);
  assert.equal(await page.locator("[data-wire='gone.in'], [data-wire='after.a']").count() >= 2, true, "its wires are drawn");
  // It is moved, and keeps all it had.
  const canvas = await page.getByTestId("canvas").boundingBox();
  await moveOnto(page, "gone", () => ({ x: canvas.x + canvas.width / 2, y: canvas.y + 150 }));
  await until(async () => (await docOf(studio)).nodes.gone.at[1] !== 0);
  const doc = await docOf(studio);
  assert.deepEqual([doc.nodes.gone.op, doc.nodes.gone.settings, doc.wires], ["lab.wavlet", { level: 3 }, graph.wires]);
  // Everything is told with its reason.
  await page.getByTestId("toggle-dock").click();
  await page.getByTestId("dock-problems").click();
  const problems = page.getByTestId("problems");
  await until(async () => /lab\.wavlet/.test(await problems.innerText()));
  const text = await problems.innerText();
  assert.match(text, /99/);
  assert.match(text, /16/, "the range");
  assert.match(text, /nowhere\.npy/);
  // A file that is not there is told once, and as what is needed rather than as a failure.
  assert.equal(await page.getByTestId("problem-file").count(), 1);
  assert.equal(await node(page, "file").getAttribute("data-state"), "needs");
  await picture("trouble-problems");
  // Mended from the form, it runs.
  await page.getByTestId("toggle-dock").click();
  await settled(page);
  // The form of the unknown one shows what it keeps.
  await node(page, "gone").locator(".node-head").click();
  assert.match(await page.getByTestId("kept").innerText(), /level\s+3/);
  await page.getByTestId("node-error").getByText("no operation called 'lab.wavlet'").waitFor();
  await node(page, "wild").locator(".node-head").click();
  await set(page, "oversample", "1");
  await state(page, "wild", "done", "cached");
});

test("a wire that would close a circle is refused, and a graph of another version is not opened", { skip, timeout: 300000 }, async (t) => {
  const graph = {
    larmor: 1, title: "Circle",
    nodes: { a: { op: "math.add", at: [0, 0] }, b: { op: "math.multiply", at: [320, 0] } }, wires: { "b.a": "a.out" },
  };
  const studio = await startStudio(t, { graph, files: { "future.json": '{"larmor": 99, "nodes": {}}', "text.json": "no graph" } });
  const { page } = await openPage(t, studio.url);
  await node(page, "b").waitFor();
  await connect(page, "b", "out", "a", "b");
  assert.deepEqual((await docOf(studio)).wires, { "b.a": "a.out" });
  for (const [file, words] of [["future.json", /99/], ["text.json", /text\.json|JSON/]]) {
    await page.keyboard.press("Control+o");
    await page.getByTestId(`file-${file}`).click();
    await page.getByTestId("file-ok").click();
    await page.getByTestId("toasts").getByText(words).first().waitFor();
  }
  assert.equal((await studio.get("/api/graphs")).length, 1);
});

test("examples open from the menu, and those that need no file run", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t);
  const { page, picture } = await openPage(t, studio.url);
  for (const title of ["Coil combination", "Spin simulator", "k-space filter"]) {
    const before = (await studio.get("/api/graphs")).map((g) => g.id);
    await page.getByTestId("examples-menu").click();
    await page.locator(".menu button", { hasText: title }).first().click();
    // The server has the new graph before the page has gone to it.
    let id;
    await until(async () => (id = (await studio.get("/api/graphs")).map((g) => g.id).find((g) => !before.includes(g))));
    await page.waitForFunction((g) => location.hash.endsWith(`/${g}`), id);
    const done = async () => {
      const g = await studio.get(`/api/graphs/${id}`);
      const states = Object.values(g.nodes).map((n) => n.state);
      assert.ok(!states.includes("error"), `${title}: ${JSON.stringify(Object.values(g.nodes).filter((n) => n.state === "error").map((n) => [n.path, n.error]))}`);
      return !g.running && states.length >= Object.keys(g.graph.nodes).length && states.every((s) => ["done", "cached", "warning", "bypassed"].includes(s));
    };
    await until(done, 60000);
    await settled(page);
    // All of it is seen, at a size at which titles can be read.
    const zoom = Number((await page.getByTestId("zoom").innerText()).match(/(\d+) %/)[1]);
    assert.ok(zoom >= 35, `${title} opens at ${zoom} %`);
  }
  await picture("trouble-examples");
});

/** What NumPy saves of f32 numbers in one row. */
function npy(values) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${values.length},), }`;
  const head = text.padEnd(128 - 10 - 1) + "\n";
  const length = Buffer.alloc(2);
  length.writeUInt16LE(head.length);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, Buffer.from(head), Buffer.from(new Float32Array(values).buffer)]);
}

test("a node without its file says what it needs, and runs once it is chosen", { skip, timeout: 300000 }, async (t) => {
  const graph = { larmor: 1, title: "Needs a file", nodes: { read: { op: "io.read_npy", at: [0, 0] }, sum: { op: "reduce.sum", at: [320, 0] } }, wires: { "sum.in": "read.array" } };
  const studio = await startStudio(t, { graph, files: { "three.npy": npy([1, 2, 4]) } });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "read", "needs");
  await page.waitForFunction(() => /needs a file/i.test(document.querySelector("[data-testid='run-state']")?.textContent ?? "needs a file"));
  await node(page, "read").locator(".node-head").click();
  await page.getByTestId("needs-file").getByText("no file is chosen").waitFor();
  assert.equal(await page.getByTestId("node-error").count(), 0, "no failure is told");
  await picture("trouble-needs");
  await page.getByTestId("choose-read").click();
  await page.getByTestId("file-three.npy").click();
  await page.getByTestId("file-ok").click();
  await state(page, "sum", "done", "cached");
  assert.equal(await valueOf(studio, "sum.out"), 7);
  assert.equal(await page.getByTestId("choose-read").count(), 0);
});

test("an input of a graph is given a file", { skip, timeout: 300000 }, async (t) => {
  const graph = {
    larmor: 1, title: "With an input", inputs: { data: { type: "array", what: "numbers", to: ["sum.in", "most.in"] } },
    nodes: { sum: { op: "reduce.sum", at: [400, 0] }, most: { op: "reduce.max", at: [400, 260] } },
  };
  const studio = await startStudio(t, { graph, files: { "deep/three.npy": npy([1, 2, 4]), "words.csv": "a,b\n1,2\n" } });
  const { page, picture } = await openPage(t, studio.url);
  // Opened by itself, a graph with inputs has not failed: it needs them.
  await state(page, "sum", "needs");
  await page.getByTestId("choose-sum").waitFor();
  await picture("trouble-input-needed");
  // What does not fit is said, and nothing changes.
  await page.getByTestId("feed-data").click();
  await page.getByTestId("file-words.csv").click();
  await page.getByTestId("file-ok").click();
  await page.getByTestId("toasts").getByText(/read as table, and data needs array/).waitFor();
  assert.ok((await docOf(studio)).inputs.data);
  await page.getByTestId("feed-data").click();
  await page.getByTestId("file-deep").click();
  await page.getByTestId("file-three.npy").click();
  await page.getByTestId("file-ok").click();
  await until(async () => (await valueOf(studio, "sum.out")) === 7);
  assert.equal(await valueOf(studio, "most.out"), 4);
  const doc = await docOf(studio);
  assert.equal(doc.inputs, undefined);
  assert.equal(doc.nodes.read_npy.title, "data");  // several readers are told apart
  assert.deepEqual(doc.wires, { "sum.in": "read_npy.array", "most.in": "read_npy.array" });
  await picture("trouble-input");
  await page.getByTestId("undo").click();
  await until(async () => (await docOf(studio)).inputs?.data?.to?.length === 2);
  // The next file is looked for where the last one was.
  await page.getByTestId("feed-data").click();
  await page.getByTestId("file-three.npy").waitFor();
});

test("every graph that comes along opens without a failure, says what it needs, and shows all of it", { skip, timeout: 600000 }, async (t) => {
  const studio = await startStudio(t, { graph: { larmor: 1, title: "Empty" } });
  const { page, picture } = await openPage(t, studio.url, { width: 1280, height: 800 });
  const files = ["graphs", "examples/graphs"].flatMap((folder) => readdirSync(join(source, folder)).filter((f) => f.endsWith(".json")).map((f) => join(folder, f)));
  assert.ok(files.length >= 16, files.join());
  for (const file of files) {
    const graph = JSON.parse(readFileSync(join(source, file), "utf8"));
    const { id } = await (await fetch(`${studio.base}/api/graphs`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ graph }) })).json();
    await page.goto(`${studio.base}/#/g/${id}`);
    await page.waitForFunction((title) => document.title.startsWith(title), graph.title);  // the address was followed
    const states = () => page.$$eval("[data-testid^='node-'][data-state]", (all) => all.map((e) => e.dataset.state));
    // Pipelines wait for data; examples make what they show, but for that of a real scan.
    if (file.startsWith("graphs/") || file.endsWith("/spiral.json")) {
      await until(async () => (await states()).includes("needs"));
      await page.getByTestId("graph-needs").waitFor();
    } else {
      await until(async () => (await states()).every((s) => s === "done" || s === "cached" || s === "warning" || s === "error"));
      assert.equal(await page.getByTestId("graph-needs").count(), 0, file);
    }
    assert.ok(!(await states()).includes("error"), `${file}: ${(await states()).join()}`);
    // Everything is in view, and nothing lies under the small map.
    await settled(page);
    const map = await page.locator(".minimap").boundingBox(), view = await page.getByTestId("canvas").boundingBox();
    for (const [name, x, y, right, bottom] of await page.$$eval(".react-flow__node", (all) => all.map((e) => ((r) => [e.dataset.id, r.x, r.y, r.right, r.bottom])(e.getBoundingClientRect())))) {
      assert.ok(x >= view.x && y >= view.y && right <= view.x + view.width && bottom <= view.y + view.height, `${file}: ${name} is seen`);
      assert.ok(right <= map.x || bottom <= map.y, `${file}: ${name} lies under the map`);
    }
    if (file === "graphs/dce.json") {
      assert.equal(await node(page, "t1").getAttribute("data-state"), "needs");
      assert.match(await page.getByTestId("graph-needs").innerText(), /dynamic[^]*t1_series\s*give a series or a map, or set 'fixed'/);
      // Also of a run that was over before the page came it is told what it needs, not that it failed.
      await page.getByTestId("run-state").getByText("Needs a file").waitFor();
      await picture("trouble-dce-alone");
      // The button beside it opens the dialog of files for that input.
      await page.getByTestId("graph-needs-t1_series").click();
      await page.getByText("Read t1_series from a file").waitFor();
      await page.keyboard.press("Escape");
    }
  }
  // An address of a graph that is not there leaves what is shown, and says so.
  const before = page.url();
  await page.goto(`${studio.base}/#/g/gone`);
  await page.getByTestId("toasts").getByText("The graph of this address is not open").waitFor();
  await until(() => page.url() === before);
});

test("the hippocampus pipeline opens asking for a study, and says what is wrong with one that is none", { skip, timeout: 300000 }, async (t) => {
  const graph = readFileSync(join(source, "graphs", "hippocampus.json"), "utf8");
  const studio = await startStudio(t, { graph, files: { "holiday/notes.txt": "no images, but longer than sixteen bytes" } });
  const { page, picture } = await openPage(t, studio.url, { latency: 300 });  // the folder that is entered must be the one that is chosen
  await state(page, "choose", "needs");
  for (const id of ["choose", "segment", "measure", "write"]) assert.notEqual(await node(page, id).getAttribute("data-state"), "error", id);
  await picture("trouble-hippocampus");
  await page.getByTestId("choose-choose").click();
  await page.getByTestId("file-holiday").click();
  await page.getByTestId("file-ok").click();
  await state(page, "choose", "error");
  await node(page, "choose").locator(".node-head").click();
  await page.getByTestId("node-error").getByText(/no DICOM study is in .*holiday/).waitFor();
});
