// SPDX-License-Identifier: Apache-2.0
// A run is cancelled, a connection is lost and found, runs are compared, and operations speak.
import assert from "node:assert/strict";
import { test } from "node:test";
import { docOf, node, openPage, set, skip, startStudio, state, until } from "../harness.mjs";

/** A number, also when it comes as an array of one. */
const value = async (studio, port) => {
  const { value: v } = await studio.get(`/api/graphs/${(await studio.get("/api/graphs"))[0].id}/value?port=${port}`);
  return v?.array ? v.max : v;
};
const sums = () => ({
  larmor: 1, title: "Sums",
  nodes: { a: { op: "source.number", at: [0, 0], settings: { value: 2 } }, b: { op: "math.add", at: [300, 0], settings: { value: 1 } }, c: { op: "math.multiply", at: [600, 0], settings: { value: 10 } } },
  wires: { "b.a": "a.out", "c.a": "b.out" },
});

test("a run is cancelled, and a lost connection is said and comes back", { skip, timeout: 120000 }, async (t) => {
  const slow = { larmor: 1, title: "Slow", nodes: { big: { op: "phantom.shepp_logan", at: [0, 0], settings: { size: [1024, 1024, 64], oversample: 8 } } } };
  const studio = await startStudio(t, { graph: slow });
  const { page, context, picture } = await openPage(t, studio.url);
  await page.getByTestId("cancel").waitFor();
  await state(page, "big", "running");
  await picture("running-cancel");
  await page.getByTestId("cancel").click();
  await page.waitForFunction(() => document.querySelector("[data-testid='run-state']")?.dataset.state === "cancelled");
  await state(page, "big", "cancelled");
  await page.getByTestId("auto").click();
  await node(page, "big").locator(".node-head").click();
  await context.setOffline(true);
  await set(page, "fov", "200");
  await page.getByTestId("offline").waitFor({ timeout: 40000 });
  await picture("running-offline");
  await context.setOffline(false);
  await page.getByTestId("offline").getByText("Try now").click();
  await page.getByTestId("offline").waitFor({ state: "detached", timeout: 40000 });
  // The edit that was made meanwhile has arrived.
  await until(async () => (await docOf(studio)).nodes.big.settings.fov === 200);
});

test("the profiler compares two runs, and the log says what operations say", { skip, timeout: 120000 }, async (t) => {
  const graph = sums();
  graph.nodes.bad = { op: "array.crop", at: [600, 260], settings: {} };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "c", "done", "cached");
  await node(page, "a").locator(".node-head").click();
  await set(page, "value", "5");
  await until(async () => (await value(studio, "c.out")) === 60);
  await page.getByTestId("toggle-dock").click();
  await page.getByTestId("dock-profiler").click();
  await page.getByTestId("profiler").waitFor();
  const runs = await page.getByTestId("profiler-compare").locator("option").count();
  assert.ok(runs >= 2, "there is a run to compare with");
  await page.getByTestId("profiler-compare").selectOption({ index: 1 });
  await page.getByTestId("comparison").waitFor();
  assert.equal(await page.getByTestId("comparison").locator("tbody tr").count(), 4);
  await picture("running-compare");
  await page.getByTestId("dock-log").click();
  await picture("running-log");
});
