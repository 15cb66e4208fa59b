// SPDX-License-Identifier: Apache-2.0
// Forms and what hands do with them: sliders, entries, choices, files, help; tooltips; dashboards put together; values saved.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { docOf, frames, node, openPage, port, set, settled, skip, startStudio, state, until } from "../harness.mjs";

const graph = () => ({
  larmor: 1, title: "Forms",
  nodes: {
    aif: { op: "dce.aif_model", at: [0, 0] }, tissue: { op: "dce.tissue_curve", at: [320, 0] },
    table: { op: "io.read_table", at: [0, 300] }, head: { op: "phantom.shepp_logan", at: [320, 320], settings: { size: [64, 64, 6], oversample: 1 } },
  },
  wires: { "tissue.aif": "aif.aif" },
});

test("a slider is dragged, an entry typed, a choice made, a file picked; a default comes back and help is there", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: graph(), files: { "data/times.csv": "t,c\n0,1\n1,2\n2,4\n", "data/other.txt": "no" } });
  const { page, picture } = await openPage(t, studio.url);
  const settings = async (id) => (await docOf(studio)).nodes[id].settings ?? {};
  await state(page, "tissue", "done", "cached");
  await node(page, "aif").locator(".node-head").click();
  // One drag of a slider is many values, and one step of undo.
  const slider = page.getByTestId("slider-Hct"), box = await slider.boundingBox();
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * (0.42 / 0.9), y);
  await page.mouse.down();
  for (let k = 1; k <= 8; ++k) await page.mouse.move(box.x + box.width * (0.42 / 0.9) + 5 * k, y);
  await page.mouse.up();
  await until(async () => (await settings("aif")).Hct > 0.5);
  const dragged = (await settings("aif")).Hct;
  assert.ok(dragged < 0.9, `${dragged}`);
  await page.getByTestId("undo").click();
  await until(async () => (await settings("aif")).Hct === undefined);
  await until(async () => (await page.getByTestId("setting-Hct").inputValue()) === "0.42");  // seen, too: what follows acts on what is seen
  // Typed; what is out of range is refused with the range, and nothing is lost.
  await set(page, "arrival", "30");
  await until(async () => (await settings("aif")).arrival === 30);
  await page.getByTestId("setting-Hct").fill("3");
  await page.getByTestId("setting-Hct").press("Enter");
  await page.getByText(/0\.9/).first().waitFor();
  assert.notEqual((await settings("aif")).Hct, 3);
  // Back to the default.
  await page.getByTestId("more-arrival").click();
  await page.getByTestId("reset-arrival").click();
  await until(async () => (await settings("aif")).arrival === undefined);
  // A choice.
  await set(page, "model", "aif.georgiou");
  await until(async () => (await settings("aif")).model === "aif.georgiou");
  // Help with the equation and the source.
  await node(page, "tissue").locator(".node-head").click();
  const inspector = page.getByTestId("inspector");
  await inspector.getByText("Help", { exact: true }).scrollIntoViewIfNeeded();
  assert.match(await inspector.innerText(), /MRM|NMR Biomed|J Magn/);
  await picture("forms-help");
  // A file of the server: only folders that it may use, and files that the operation reads.
  await node(page, "table").locator(".node-head").click();
  await page.getByTestId("browse-path").click();
  // Clicked twice, as folders are elsewhere: the second click meets what has come under it and means nothing.
  const folder = await page.getByTestId("file-data").boundingBox();
  await page.mouse.click(folder.x + 60, folder.y + folder.height / 2);
  await page.getByTestId("file-times.csv").waitFor();
  await page.mouse.down({ clickCount: 2 });
  await page.mouse.up({ clickCount: 2 });
  await page.getByTestId("file-times.csv").click();
  assert.equal(await page.getByTestId("file-other.txt").count(), 0, "files of other kinds are not offered");
  await picture("forms-file");
  await page.getByTestId("file-ok").click();
  await until(async () => /times\.csv$/.test((await settings("table")).path ?? ""));
  await state(page, "table", "done", "cached");
});

test("a slider whose range follows what is set lies still under the hand that drags it", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: { larmor: 1, nodes: { pulse: { op: "sim.pulse", at: [0, 0], settings: { FA: 720 } } } } });
  const { page } = await openPage(t, studio.url);
  await node(page, "pulse").locator(".node-head").click();
  const box = await page.getByTestId("slider-FA").boundingBox(), y = box.y + box.height / 2;
  const at = (part) => box.x + 8 + part * (box.width - 16);  // the middle of its knob
  await page.mouse.move(at(1), y);
  await page.mouse.down();
  for (let k = 1; k <= 20; ++k) {
    await page.mouse.move(at(1 - k / 40), y);
    await frames(page);
  }
  await page.mouse.up();
  // Half of 720 degrees, give or take 3 pixels.
  const FA = async () => (await docOf(studio)).nodes.pulse.settings?.FA ?? 90;
  await until(async () => Math.abs((await FA()) - 360) < (3 * 720) / (box.width - 16));
});

test("a port tells what it holds: shape, range, bytes, times over runs", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: graph() });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "head", "done", "cached");
  await node(page, "head").locator(".node-head").click();
  const report = async () => (await studio.get(`/api/graphs/${(await studio.get("/api/graphs"))[0].id}`)).nodes.head;
  for (const fov of [200, 210, 220]) {
    const { runs } = await report();
    await set(page, "fov", String(fov));
    await until(async () => (await report()).runs === runs + 1 && (await report()).state === "done");
  }
  await settled(page);
  await port(page, "head", "out", "out").hover();
  const tip = page.getByTestId("tooltip");
  await tip.waitFor();
  await page.waitForFunction(() => /Range/.test(document.querySelector("[data-testid='tooltip']")?.innerText ?? ""));
  const text = await tip.innerText();
  for (const word of [/64 x × 64 y × 6 z/, /Range\s+0 … /, /Size\s+96/, /State/, /Last run/, /Mean ± sd\s.* over \d runs/]) assert.match(text, word);
  await picture("forms-tooltip");
});

test("a dashboard is put together by hand: from the list, from the canvas, moved, in columns", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: graph() });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "tissue", "done", "cached");
  const items = async () => Object.values((await docOf(studio)).dashboards ?? {})[0]?.items ?? [];
  await page.getByTestId("page-new").click();
  await page.getByTestId("board").waitFor();
  // Dragged from the list, to where it is let go.
  await page.getByTestId("thing-tissue.tissue").dragTo(page.getByTestId("board"), { targetPosition: { x: 420, y: 30 } });
  await until(async () => (await items()).length === 1);
  await page.getByTestId("thing-aif:Hct").click();
  await until(async () => (await items()).length === 2);
  const [curve, hct] = await items();
  assert.equal(curve.port, "tissue.tissue");
  assert.ok(curve.x >= 4, `where it was let go: ${curve.x}`);
  assert.deepEqual([hct.node, hct.setting], ["aif", "Hct"]);
  await page.getByTestId("tile-0").locator("canvas").first().waitFor();
  // Moved by its title.
  const head = await page.getByTestId("tile-0").locator(".tile-head").boundingBox();
  await page.mouse.move(head.x + 40, head.y + 12);
  await page.mouse.down();
  await page.mouse.move(head.x + 40, head.y + 80, { steps: 4 });
  await page.mouse.move(head.x + 40, head.y + 12 + 128, { steps: 4 });
  await page.mouse.up();
  await until(async () => (await items())[0].y === curve.y + 2);
  // A setting on it works like in the form, and the canvas adds to it too.
  await page.getByTestId("edit-dashboard").click();
  await set(page, "Hct", "0.3");
  await until(async () => (await docOf(studio)).nodes.aif.settings?.Hct === 0.3);
  await page.getByTestId("page-canvas").click();
  await node(page, "aif").locator(".node-head").click();
  await page.getByTestId("more-arrival").click();
  await page.getByRole("menuitem", { name: /Dashboard|Overview/ }).or(page.locator(".menu button", { hasText: /Dashboard|Overview/ })).first().click();
  await until(async () => (await items()).length === 3);
  await page.locator("[data-testid^='page-']").nth(1).click();
  await page.getByTestId("edit-dashboard").click();
  await page.getByTestId("layout-columns").click();
  await page.locator(".board-strip.small .tile").first().waitFor();
  await picture("forms-dashboard");
  // In rows: one below the other over the whole width; free again: where they were.
  const layout = async () => Object.values((await docOf(studio)).dashboards)[0].layout;
  await page.getByTestId("layout-rows").click();
  await until(async () => (await layout()) === "rows");
  await until(async () => {
    const all = await Promise.all([0, 1, 2].map((k) => page.getByTestId(`tile-${k}`).boundingBox()));
    return all.every(Boolean) && new Set(all.map((b) => Math.round(b.y))).size >= 2;
  });
  await picture("forms-rows");
  const places = await items();
  await page.getByTestId("layout-free").click();
  await until(async () => (await layout()) === "free" || (await layout()) === undefined);
  assert.deepEqual(await items(), places);
});

test("values are saved from viewers: a picture, NIfTI, a table", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: graph() });
  const { page } = await openPage(t, studio.url);
  await state(page, "head", "done", "cached");
  await state(page, "tissue", "done", "cached");
  const save = async (tile, item) => {
    await tile.getByTitle(/^Save/).first().click();
    const file = page.waitForEvent("download");
    if (item) await page.getByText(item).click();
    return readFileSync(await (await file).path());
  };
  await port(page, "head", "out", "out").click();
  let tile = page.getByTestId("probe-tile-head.out");
  await until(async () => (await tile.locator(".lmv-stage").getAttribute("data-state")) === "done");
  assert.deepEqual([...(await save(tile, /^PNG/)).subarray(1, 4)], [...Buffer.from("PNG")]);
  const nifti = await save(tile, /^NIfTI/);
  assert.ok(nifti.readInt32LE(0) === 348 || (nifti[0] === 0x1f && nifti[1] === 0x8b), "a NIfTI file");
  await port(page, "tissue", "out", "tissue").click();
  tile = page.getByTestId("probe-tile-tissue.tissue");
  await tile.locator("canvas").first().waitFor();
  const csv = (await save(tile, /^CSV/)).toString("utf8").trim().split("\n");
  assert.ok(csv.length > 100, `${csv.length} lines`);
});
