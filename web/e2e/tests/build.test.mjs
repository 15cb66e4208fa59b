// SPDX-License-Identifier: Apache-2.0
// A graph is built by hand, changed, undone, reloaded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { add, connect, ids, moveOnto, node, openPage, port, set, skip, startStudio, state, until } from "../harness.mjs";

test("the DCE demo is built by hand, and a slider runs again only what depends on it", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t);
  const { page, picture } = await openPage(t, studio.url);
  const canvas = await page.getByTestId("canvas").boundingBox();
  const place = async (op, x, y) => {
    const id = await add(page, op);
    await moveOnto(page, id, () => ({ x: canvas.x + x, y: canvas.y + y }));
    return id;
  };
  await page.getByTestId("auto").click();  // built first, run afterwards
  const object = await place("dce.dro", 170, 240);
  const fit = await place("dce.fit", 435, 240);
  const pick = await place("maps.pick", 700, 240);
  const mean = await place("reduce.mean", 700, 520);
  await picture("build-1-nodes");
  await connect(page, object, "dynamic", fit, "concentration");
  await connect(page, object, "aif", fit, "aif");
  await connect(page, object, "mask", fit, "mask");
  await connect(page, fit, "maps", pick, "maps");
  await connect(page, pick, "image", mean, "in");
  const g = (await studio.get("/api/graphs"))[0].id;
  const wires = async () => (await studio.get(`/api/graphs/${g}`)).graph.wires;
  await until(async () => Object.keys((await wires()) ?? {}).length === 5);
  assert.deepEqual(await wires(), { [`${fit}.concentration`]: `${object}.dynamic`, [`${fit}.aif`]: `${object}.aif`, [`${fit}.mask`]: `${object}.mask`, [`${pick}.maps`]: `${fit}.maps`, [`${mean}.in`]: `${pick}.image` });

  // The form of the object: a small grid, concentration without conversion.
  await node(page, object).locator(".node-head").click();
  await set(page, "kind", "concentration");
  await set(page, "grid", "24 24 6");
  await node(page, mean).locator(".node-head").click();
  await set(page, "nan", "omit");
  await page.getByTestId("run").click();
  await state(page, mean, "done", "cached");
  await picture("build-2-ran");
  const report = async () => (await studio.get(`/api/graphs/${g}`)).nodes;
  assert.equal((await report())[fit].state, "done");

  // Auto-run on: the percentile of the last node does not touch the fit; the model of the fit runs what follows it.
  await page.getByTestId("auto").click();
  await node(page, pick).locator(".node-head").click();
  await set(page, "name", "ve");
  await page.waitForFunction(async ([g, pick]) => ((await (await fetch(`/api/graphs/${g}`)).json()).nodes[pick]?.outputs?.image ?? {}).unchanged === false, [g, pick]);
  await state(page, mean, "done", "cached");
  const after = await report();
  assert.equal(after[fit].state, "cached", "the fit did not run again");
  assert.equal(after[object].state, "cached");

  // Undo brings the setting back, and then everything that was done, to the empty page.
  await page.getByTestId("canvas").click({ position: { x: 30, y: 400 } });
  await page.keyboard.press("Control+z");
  await page.waitForFunction(async ([g, pick]) => !(await (await fetch(`/api/graphs/${g}`)).json()).graph.nodes[pick].settings?.name, [g, pick]);
  // A reload shows the same graph, with its states.
  const before = await ids(page);
  await page.reload();
  await node(page, fit).waitFor();
  assert.deepEqual((await ids(page)).sort(), before.sort());
  await picture("build-3-reloaded");
  for (let k = 0; k < 40 && (await ids(page)).length; ++k) {
    const { rev } = await studio.get(`/api/graphs/${g}`);
    await page.getByTestId("undo").click();
    await until(async () => (await studio.get(`/api/graphs/${g}`)).rev !== rev);
    // Before the page has heard of it, it shows a node that is gone.
    const left = Object.keys((await studio.get(`/api/graphs/${g}`)).graph.nodes ?? {}).sort().join();
    await until(async () => (await ids(page)).sort().join() === left);
  }
  assert.deepEqual(await ids(page), []);
  await page.getByTestId("redo").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid^='node-'][data-state]").length === 1);
});

test("wires that do not fit are refused with the reason, and the void offers what fits", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: { larmor: 1, nodes: { object: { op: "dce.dro", at: [0, 0] }, pick: { op: "maps.pick", at: [420, 0] } } } });
  const { page, picture } = await openPage(t, studio.url);
  await page.getByTestId("auto").click();
  const from = await port(page, "object", "out", "aif").locator(".react-flow__handle").boundingBox();
  const into = await port(page, "pick", "in", "maps").locator(".react-flow__handle").boundingBox();
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(from.x + 60, from.y + 40, { steps: 4 });
  assert.match(await port(page, "pick", "in", "maps").getAttribute("class"), /dim/);
  await page.mouse.move(into.x + into.width / 2, into.y + into.height / 2, { steps: 6 });
  await page.getByTestId("tooltip").getByText(/Parameter maps is needed|needed/).waitFor();
  await picture("refused");
  await page.mouse.up();
  const g = (await studio.get("/api/graphs"))[0].id;
  assert.deepEqual((await studio.get(`/api/graphs/${g}`)).graph.wires ?? {}, {});
  // Into the void: only operations that take a curve.
  await page.mouse.move(from.x + 5, from.y + 5);
  await page.mouse.down();
  await page.mouse.move(from.x + 100, from.y + 260, { steps: 6 });
  await page.mouse.up();
  await page.getByTestId("quick-add").waitFor();
  await picture("void");
  await page.getByTestId("quick-add-search").fill("fit a model");
  await page.keyboard.press("Enter");
  await page.waitForFunction(async (g) => Object.values((await (await fetch(`/api/graphs/${g}`)).json()).graph.wires ?? {}).includes("object.aif"), g);
});
