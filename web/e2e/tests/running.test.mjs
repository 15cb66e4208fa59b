// SPDX-License-Identifier: Apache-2.0
// How graphs run, as hands tell them to: cancel, bypass, freeze, run to here, sweeps, maps, loops; a lost connection; the panels.
import assert from "node:assert/strict";
import { test } from "node:test";
import { docOf, frames, node, openPage, port, set, skip, startStudio, state, until, valueOf } from "../harness.mjs";

const nodesOf = async (studio) => (await studio.get(`/api/graphs/${(await studio.get("/api/graphs"))[0].id}`)).nodes;
const sums = () => ({
  larmor: 1, title: "Sums",
  nodes: { a: { op: "source.number", at: [0, 0], settings: { value: 2 } }, b: { op: "math.add", at: [300, 0], settings: { value: 1 } }, c: { op: "math.multiply", at: [600, 0], settings: { value: 10 } } },
  wires: { "b.a": "a.out", "c.a": "b.out" },
});

test("bypass, freeze, run to here and sweeps do what they say", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: sums() });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "c", "done", "cached");
  assert.equal(await valueOf(studio, "c.out"), 30);
  // Bypassed: what comes in goes out.
  await node(page, "b").locator(".node-head").click();
  await page.keyboard.press("b");
  await state(page, "b", "bypassed");
  await until(async () => (await valueOf(studio, "c.out")) === 20);
  await picture("running-bypass");
  await page.keyboard.press("b");
  await until(async () => (await valueOf(studio, "c.out")) === 30);
  // Frozen: the result stays, whatever comes in.
  await page.keyboard.press("z");
  await until(async () => (await docOf(studio)).nodes.b.mode === "freeze");
  await node(page, "a").locator(".node-head").click();
  await set(page, "value", "50");
  await state(page, "b", "frozen");
  await until(async () => (await valueOf(studio, "c.out")) === 30);
  await node(page, "b").locator(".node-head").click();
  await page.keyboard.press("z");
  await until(async () => (await valueOf(studio, "c.out")) === 510);
  // Run to here: what comes after stays as it is.
  await page.getByTestId("auto").click();
  await node(page, "a").locator(".node-head").click();
  await set(page, "value", "3");
  await state(page, "c", "idle");
  await node(page, "b").locator(".node-head").click({ button: "right" });
  await page.getByTestId("menu-run-to").click();
  await state(page, "b", "done", "cached");
  assert.equal((await nodesOf(studio)).c.state, "idle");
  // A sweep: the setting takes several values, results lie along a new axis.
  await page.getByTestId("auto").click();
  await node(page, "b").locator(".node-head").click();
  await page.getByTestId("more-value").click();
  await page.getByTestId("sweep-value").click();
  await until(async () => (await docOf(studio)).nodes.b.sweeps?.value?.length === 2);
  await until(async () => /2/.test((await nodesOf(studio)).c.outputs?.out?.describe ?? "") && !(await studio.get("/api/graphs"))[0].running);
  await picture("running-sweep");
  // A setting as a port.
  await node(page, "c").locator(".node-head").click();
  await page.getByTestId("more-value").click();
  await page.getByTestId("to-port-value").click();
  await port(page, "c", "in", "value").waitFor();
});

test("a port is mapped over an axis, and a loop keeps its history to go back through", { skip, timeout: 300000 }, async (t) => {
  const graph = {
    larmor: 1, title: "Rounds",
    nodes: {
      phantom: { op: "phantom.shepp_logan", at: [0, 0], settings: { size: [32, 32, 6], oversample: 1 } }, mean: { op: "reduce.mean", at: [320, 200] },
      start: { op: "source.number", at: [0, 380], settings: { value: 1 } }, loop: { graph: "double", at: [320, 420], loop: { kind: "repeat", times: 5, feedback: { in: "out" } } },
    },
    wires: { "mean.in": "phantom.out", "loop.in": "start.out" },
    definitions: { double: { title: "Doubling", nodes: { twice: { op: "math.multiply", at: [0, 0], settings: { value: 2 } } }, inputs: { in: { type: "array", to: ["twice.a"] } }, outputs: { out: { type: "array", from: "twice.out" } } } },
  };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "mean", "done", "cached");
  await node(page, "mean").locator(".node-head").click();
  await page.getByText("How it runs").click();
  await page.getByTestId("map-axis").fill("z");
  await page.getByTestId("map-axis").press("Enter");
  await until(async () => (await nodesOf(studio)).mean.outputs?.out?.describe?.includes("6"));
  await picture("running-map");
  // History is switched on, and each round is looked at.
  await state(page, "loop", "done", "cached");
  assert.equal(await valueOf(studio, "loop.out"), 32);
  await node(page, "loop").locator(".node-head").click();
  await page.getByText("keep every round").click();
  await until(async () => (await docOf(studio)).nodes.loop.loop.history === true);
  await port(page, "loop", "out", "out").click();
  await page.getByTestId("rounds").waitFor();
  await page.waitForFunction(() => document.querySelector("[data-testid='round-count']")?.textContent === "5 of 5");
  const shown = page.getByTestId("probe-tile-loop.out").locator("output");
  await page.getByTestId("round-before").click();
  await page.waitForFunction(() => document.querySelector("[data-testid='round-count']")?.textContent === "4 of 5");
  await until(async () => (await shown.innerText()) === "16");
  await page.getByTestId("round").fill("0");
  await until(async () => (await shown.innerText()) === "2");
  await picture("running-history");
});

test("a run is cancelled, and a lost connection is said and comes back", { skip, timeout: 300000 }, async (t) => {
  const slow = { larmor: 1, title: "Slow", nodes: { big: { op: "phantom.shepp_logan", at: [0, 0], settings: { size: [1024, 1024, 64], oversample: 8 } } } };
  const studio = await startStudio(t, { graph: slow });
  const { page, context, picture } = await openPage(t, studio.url, { latency: 0 });  // being offline and being late exclude each other
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
  await page.getByTestId("offline").waitFor();
  await picture("running-offline");
  await page.getByTestId("offline").getByText("Try now").click();
  await page.getByTestId("offline").waitFor();  // nothing to be had yet
  assert.equal(await page.getByTestId("setting-fov").inputValue(), "200", "what was typed is shown meanwhile");
  await context.setOffline(false);
  await page.getByTestId("offline").waitFor({ state: "detached" });
  // The edit that was made meanwhile has arrived.
  await until(async () => (await docOf(studio)).nodes.big.settings.fov === 200);
});

test("a run tells how long it will take, from the runs before", { skip, timeout: 300000 }, async (t) => {
  const long = { larmor: 1, title: "Long", nodes: { big: { op: "phantom.shepp_logan", at: [0, 0], settings: { size: [256, 256, 16], oversample: 4 } } } };
  const studio = await startStudio(t, { graph: long, args: ["--threads", "1"] });  // some seconds, however many cores there are
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "big", "done");
  await until(async () => (await nodesOf(studio)).big.runs === 1);
  const first = (await nodesOf(studio)).big;
  // Another setting: the same work again. At its very beginning only the run before can say how long it takes.
  await node(page, "big").locator(".node-head").click();
  await set(page, "fov", "200");
  const left = page.getByTestId("left-big");
  await left.waitFor();
  const told = [];
  const { expected_seconds: expected, mean_seconds: mean } = (await nodesOf(studio)).big;
  await picture("running-estimate");
  assert.ok(Math.abs(expected - first.seconds) < 1e-3 * first.seconds, `${expected} s are expected after one run of ${first.seconds} s`);
  assert.equal(mean, expected);  // while it runs
  assert.match(await left.getAttribute("title"), /from 1 earlier run$/);
  for (let label; (label = await left.innerText({ timeout: 2000 }).catch(() => null)); await frames(page, 6)) told.push(Number(/^\s*· ([\d.]+) s left$/.exec(label)?.[1]));
  // Whole seconds, rounded up; the label was seen up to a round of looking late.
  assert.ok(told.length >= 2 && told[0] <= Math.ceil(first.seconds) + 1 && told[0] >= 1, `the label said ${told}`);
  assert.ok(told.at(-1) < told[0] || told[0] === 1, `it counts down: ${told}`);
  await state(page, "big", "done");
  // Both runs are in what the port says: the last time, the mean and the spread.
  await port(page, "big", "out", "out").hover();
  await page.getByTestId("tooltip").filter({ hasText: "over 2 runs" }).waitFor();
  assert.match(await page.getByTestId("tooltip").innerText(), /Last run\s+[\d.]+ s/);
  await picture("running-times");
});

test("with running at every change off, nothing runs until it is told to, and then only what must", { skip, timeout: 300000 }, async (t) => {
  const graph = sums();
  graph.nodes.other = { op: "source.number", at: [0, 260], settings: { value: 4 } };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "c", "done", "cached");
  await state(page, "other", "done", "cached");
  const runs = async () => Object.fromEntries(Object.entries(await nodesOf(studio)).map(([id, n]) => [id, n.runs]));
  await until(async () => Object.values(await runs()).every((n) => n === 1));
  await page.getByTestId("auto").click();
  await until(async () => (await studio.get(`/api/graphs/${(await studio.get("/api/graphs"))[0].id}`)).auto === false);
  await node(page, "b").locator(".node-head").click();
  await set(page, "value", "5");
  // The change is made, what depends on it says that it has not run, and the values are those of before.
  await until(async () => (await docOf(studio)).nodes.b.settings.value === 5);
  await state(page, "b", "idle");
  await state(page, "c", "idle");
  await state(page, "other", "done", "cached");
  // Longer than the pause after which a change would run by itself.
  await frames(page, 60);
  assert.deepEqual(await runs(), { a: 1, b: 1, c: 1, other: 1 });
  await picture("running-on-demand");
  await page.getByTestId("run").click();
  await until(async () => (await valueOf(studio, "c.out")) === 70);
  await state(page, "c", "done");
  await until(async () => (await runs()).c === 2);
  assert.deepEqual(await runs(), { a: 1, b: 2, c: 2, other: 1 });
  // Switched on again, the next change runs at once.
  await page.getByTestId("auto").click();
  await set(page, "value", "6");
  await until(async () => (await valueOf(studio, "c.out")) === 80);
});

test("the profiler compares two runs, and the log says what operations say", { skip, timeout: 300000 }, async (t) => {
  const graph = sums();
  graph.nodes.bad = { op: "array.crop", at: [600, 260], settings: {} };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "c", "done", "cached");
  await node(page, "a").locator(".node-head").click();
  await set(page, "value", "5");
  await until(async () => (await valueOf(studio, "c.out")) === 60);
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

const broken = `"""Divides, badly."""
import numpy as np


def describe():
  return {
    "id": "user.divide",
    "title": "Divide by nothing",
    "does": "Divides by a setting.",
    "inputs": [{"name": "in", "what": "any array"}],
    "outputs": [{"name": "out", "what": "the quotient", "type": "array"}],
    "settings": [{"name": "by", "what": "divisor", "default": 0, "lower": 0, "upper": 9}],
  }


def compute(io):
  whole = 7 // int(io["by"])
  return {"out": np.asarray(io["in"]) / whole}
`;

test("an error in code of a user leads to the node and to the line", { skip: skip || (process.env.LARMOR_STUDIO ? "needs the program" : false), timeout: 300000 }, async (t) => {
  const graph = { larmor: 1, nodes: { a: { op: "source.number", at: [0, 0], settings: { value: 2 } }, mine: { op: "user.divide", at: [300, 0] } }, wires: { "mine.in": "a.out" } };
  const studio = await startStudio(t, { graph, files: { "ops/divide.py": broken }, ops: "ops" });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "mine", "error");
  await page.getByTestId("toggle-dock").click();
  await page.getByTestId("dock-problems").click();
  await picture("running-problems");
  const problem = page.getByTestId("problem-mine").first();
  assert.match(await problem.innerText(), /divide\.py:17/);
  await problem.getByTestId("source-link").click();
  const line = page.locator(".source-lines li.marked");
  await line.waitFor();
  assert.match(await line.innerText(), /whole = 7/);
  await picture("running-source");
  await page.keyboard.press("Escape");
  await problem.locator(".where").click();
  await page.getByTestId("node-error").waitFor();
});
