// SPDX-License-Identifier: Apache-2.0
// A Studio of its own for every test file, and a Chromium that looks at it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { front } from "./front.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const source = resolve(here, "../..");
export const program = process.env.LARMOR_BIN ?? join(source, "build/bin/larmor");
export const browser = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** Where pictures of each step go when LARMOR_PICTURES names a folder. */
const pictures = process.env.LARMOR_PICTURES;
/** Milliseconds by which the page's requests are late, as they are on another machine: what a test took for granted shows then. */
const late = Number(process.env.LARMOR_LATENCY ?? 0);
/** By how many times the page computes slower, as on an old or a busy machine. */
const slow = Number(process.env.LARMOR_THROTTLE ?? 1);

/** Milliseconds after which nobody waits any more. On one busy core Chromium alone took 20 s to begin; what hangs, hangs longer. */
const patience = 60000;

/** Why the tests cannot run here, or nothing. */
export const skip = process.env.LARMOR_STUDIO ? false : !existsSync(program) ? `no program at ${program}` : !existsSync(browser) ? `no Chromium at ${browser}` : false;

const flags = ["--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"];

/** Pages of a test that are open: they close before their server does, or they would complain of it. */
const pagesOf = new WeakMap();

/** Starts `larmor studio` on a free port in a folder of its own, for one test. LARMOR_STUDIO names one that runs already. */
export async function startStudio(t, { graph, args = [], files = {}, ops } = {}) {
  if (process.env.LARMOR_STUDIO) return joinStudio(process.env.LARMOR_STUDIO, graph);
  const folder = mkdtempSync(join(tmpdir(), "larmor-e2e-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  if (graph) writeFileSync(join(folder, "graph.json"), typeof graph === "string" ? graph : JSON.stringify(graph));
  const words = ["studio", ...(graph ? [join(folder, "graph.json")] : []), "--no-browser", "--port", "0", "--json", "--root", folder, "--cache", join(folder, "cache"), ...(ops ? ["--ops", join(folder, ops)] : []), ...args];
  const child = spawn(program, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let out = "", talk = "";
  child.stderr.on("data", (d) => (talk += d));
  const address = await new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`Studio did not start: ${talk}`)), patience);
    child.stdout.on("data", (d) => {
      out += d;
      if (!out.includes("\n")) return;
      clearTimeout(late);
      done(JSON.parse(out.split("\n")[0]));
    });
    child.on("exit", (code) => (clearTimeout(late), failed(new Error(`Studio ended with ${code}: ${talk}`))));
  });
  const { LARMOR_DIST: dist, LARMOR_EVENTS: lateEvents } = process.env;
  const client = dist || lateEvents ? await front(dist && resolve(dist), address.port, Number(lateEvents ?? 0)) : null;
  const base = `http://127.0.0.1:${client?.port ?? address.port}`;
  t.after(async () => {
    for (const close of pagesOf.get(t) ?? []) await close();
    client?.close();
    const ended = child.exitCode !== null ? Promise.resolve() : new Promise((done) => child.on("exit", done));
    child.kill("SIGINT");
    const hard = setTimeout(() => child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(hard);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return { folder, base, url: client ? address.address.replace(/:\d+/, `:${client.port}`) : address.address, child, talk: () => talk, get: async (path) => (await fetch(base + path)).json() };
}

async function joinStudio(base, graph) {
  const get = async (path) => (await fetch(base + path)).json();
  const all = await get("/api/graphs");
  for (const g of Array.isArray(all) ? all : all.graphs) await fetch(`${base}/api/graphs/${g.id}`, { method: "DELETE" });
  const body = JSON.stringify({ graph: typeof graph === "string" ? JSON.parse(graph) : (graph ?? { larmor: 1, title: "Untitled" }) });
  const { id } = await (await fetch(`${base}/api/graphs`, { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
  return { base, url: `${base}/#/g/${id}`, get };
}

/** A page of Chromium on `url`; errors of the page fail the test when it closes. */
export async function openPage(t, url, { width = 1440, height = 900, dark = false, latency = late } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "larmor-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: browser, args: flags, headless: true, viewport: { width, height }, colorScheme: dark ? "dark" : "light",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(patience);
  const cdp = await context.newCDPSession(page);
  if (slow > 1) await cdp.send("Emulation.setCPUThrottlingRate", { rate: slow });
  if (latency) {
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
  }
  const wrong = [];
  page.on("pageerror", (e) => wrong.push(String(e)));
  page.on("console", (m) => m.type() === "error" && !/status of 4\d\d|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED/.test(m.text()) && wrong.push(m.text()));
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    if (pictures && t.name) await page.screenshot({ path: join(pictures, `end ${t.name.slice(0, 40)}.png`) }).catch(() => {});
    await context.close();
  };
  pagesOf.set(t, [...(pagesOf.get(t) ?? []), close]);
  t.after(async () => {
    await close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    assert.deepEqual(wrong, [], "errors of the page");
  });
  await page.goto(url);
  await page.getByTestId("canvas").or(page.getByTestId("dashboard")).first().waitFor();
  return {
    page, context,
    picture: async (name) => {
      if (!pictures) return;
      mkdirSync(pictures, { recursive: true });
      await page.screenshot({ path: join(pictures, name + ".png") });
    },
  };
}

export const node = (page, id) => page.getByTestId(`node-${id}`);
export const port = (page, id, side, name) => page.getByTestId(`port-${id}-${side}-${name}`);

/** Adds an operation by its id from the palette and gives the new node's id. */
export async function add(page, op) {
  const before = await ids(page);
  await page.getByTestId("palette-search").fill(op);
  await page.getByTestId(`palette-${op}`).first().dblclick();
  await page.waitForFunction((n) => document.querySelectorAll("[data-testid^='node-'][data-state]").length > n, before.length);
  const fresh = (await ids(page)).filter((id) => !before.includes(id));
  assert.equal(fresh.length, 1, `one new node for ${op}`);
  await page.getByTestId("palette-search").fill("");
  return fresh[0];
}
export const ids = (page) => page.$$eval("[data-testid^='node-'][data-state]", (all) => all.map((e) => e.dataset.testid.slice(5)));

/** Waits until the canvas lies still: it glides to what is new. */
export async function settled(page) {
  await page.evaluate(() => new Promise((done) => {
    let before = "", still = 0;
    const look = () => {
      const now = document.querySelector(".react-flow__viewport")?.style.transform ?? "";
      still = now === before ? still + 1 : 0;
      before = now;
      if (still >= 8) done();
      else requestAnimationFrame(look);
    };
    look();
  }));
}

/** Waits for some frames to be drawn. */
export const frames = (page, n = 2) => page.evaluate((n) => new Promise((done) => {
  const next = (left) => (left ? requestAnimationFrame(() => next(left - 1)) : done());
  next(n);
}), n);

/**
 * How many times slower the page is now than on a quiet machine, at least 1: bounds of time are meant for a quiet one.
 * It is told by a fixed piece of work in every frame: by its time, 7 ms on two quiet cores, and by that of the frames.
 */
export const slowness = (page) => page.evaluate(async () => {
  const numbers = Float64Array.from({ length: 100000 }, (_, i) => i % 977), works = [], frames = [];
  let last;
  for (let n = 0; n < 30; ++n) {
    const now = await new Promise((done) => requestAnimationFrame(done));
    if (last !== undefined) frames.push(now - last);
    last = now;
    const begin = performance.now();
    for (let k = 0; k < 10; ++k) for (let i = 1; i < numbers.length; ++i) numbers[i] = Math.sqrt(numbers[i] * numbers[i - 1] + k);
    works.push(performance.now() - begin);
  }
  const median = (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)];
  return Math.max(1, median(works) / 8, median(frames) / 16.7);
});

/** Waits until a slider that plays has been everywhere, so that all frames are there. */
export const roundOnce = (page, slider) => page.waitForFunction((css) => {
  const input = document.querySelector(css), seen = (window.seen_ ??= new Set()).add(input.value);
  return seen.size > Number(input.max) - Number(input.min);
}, slider, { polling: "raf", timeout: 60000 });

/** Drags a wire from an out-port to an in-port, as a hand does. */
export async function connect(page, from, out, to, into) {
  await settled(page);
  const a = await port(page, from, "out", out).locator(".react-flow__handle").boundingBox();
  const b = await port(page, to, "in", into).locator(".react-flow__handle").boundingBox();
  await page.mouse.move(a.x + a.width / 2, a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2, { steps: 4 });
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 6 });
  await page.mouse.up();
}

/** Moves a node by dragging its title. */
export async function move(page, id, dx, dy) {
  await settled(page);
  const box = await node(page, id).locator(".node-head").boundingBox();
  await page.mouse.move(box.x + 30, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 30 + dx / 2, box.y + dy / 2, { steps: 3 });
  await page.mouse.move(box.x + 30 + dx, box.y + box.height / 2 + dy, { steps: 3 });
  await page.mouse.up();
}

/** Drags a node by its title until its middle lies on a point, which may move meanwhile: near the border the canvas goes along. */
export async function moveOnto(page, id, where) {
  await settled(page);
  const head = await node(page, id).locator(".node-head").boundingBox();
  let [x, y] = [head.x + 30, head.y + head.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 4, y, { steps: 4 });  // what it takes to begin a drag does not move the node
  for (let k = 0, there = 0; k < 20 && there < 2; ++k) {
    const to = await where(), box = await node(page, id).boundingBox();
    const [dx, dy] = [to.x - box.x - box.width / 2, to.y - box.y - box.height / 2];
    there = Math.hypot(dx, dy) < 8 ? there + 1 : 0;  // nodes snap to 10
    [x, y] = [x + dx, y + dy];
    await page.mouse.move(x, y, { steps: 4 });
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
  await page.mouse.up();
}

/** Waits until the stage of an image viewer shows what was asked for. */
export const drawn = (stage) => until(async () => (await stage.getAttribute("data-state")) === "done");

/** Chooses a node and presses keys. */
export async function press(page, id, keys) {
  await node(page, id).locator(".node-head").click();
  await page.keyboard.press(keys);
}
export const rectOf = (page, id) => node(page, id).boundingBox();

/** Waits until something asked again and again is true. */
export async function until(what, timeout = patience) {
  for (const end = Date.now() + timeout; Date.now() < end; await new Promise((r) => setTimeout(r, 60))) if (await what()) return;
  assert.fail(`not within ${timeout} ms: ${what}`);
}
/** The number at a port, also when it comes as an array of one. */
export async function valueOf(studio, port) {
  const { value: v } = await studio.get(`/api/graphs/${(await studio.get("/api/graphs"))[0].id}/value?port=${port}`);
  return v?.array ? v.max : v;
}
/** The document of a graph, the first one that is open unless told. */
export async function docOf(studio, id) {
  const g = id ?? (await studio.get("/api/graphs"))[0].id;
  return (await studio.get(`/api/graphs/${g}`)).graph;
}

/** Waits until a node is in one of the states. */
export async function state(page, id, ...wanted) {
  await page.waitForFunction(
    ([name, states]) => states.includes(document.querySelector(`[data-testid='node-${name}'][data-state]`)?.dataset.state),
    [id, wanted], { timeout: 60000 },
  );
}

/** Gives a setting of the selected node a value: a choice where the form offers some, an entry otherwise. */
export async function set(page, name, value) {
  const field = page.getByTestId(`setting-${name}`);
  await field.waitFor();
  // The form adapts to the data once they are there: an entry may become a choice in between.
  for (let tries = 0; ; ++tries) try {
    if ((await field.evaluate((e) => e.tagName)) === "SELECT") return void (await field.selectOption(value, { timeout: 5000 }));
    await field.fill(value, { timeout: 5000 });
    await field.press("Enter", { timeout: 5000 });
    // It became a choice before the key: what was typed went with the entry.
    if ((await field.evaluate((e) => e.tagName)) === "SELECT" && (await field.inputValue()) !== value) throw new Error(`${name} is a choice now`);
    return;
  } catch (e) {
    if (tries === 3) throw e;
  }
}

/** A dynamic-contrast object that is made, fitted and reduced to one number: small enough to run at once. */
export const dce = (more = {}) => ({
  larmor: 1, title: "Small DCE",
  nodes: {
    object: { op: "dce.dro", at: [0, 0], settings: { kind: "concentration", grid: [24, 24, 6], frames: 30, frame_time: 6, snr: 0, noise: 0.005 } },
    fit: { op: "dce.fit", at: [300, 0] },
    Ktrans: { op: "maps.pick", at: [600, 0] },
    minute: { op: "math.multiply", at: [900, 0], settings: { value: 60 } },
    mean: { op: "reduce.mean", at: [1200, 0], settings: { nan: "omit" } },
  },
  wires: { "fit.concentration": "object.dynamic", "fit.aif": "object.aif", "fit.mask": "object.mask", "Ktrans.maps": "fit.maps", "minute.a": "Ktrans.image", "mean.in": "minute.out" },
  ...more,
});
