// SPDX-License-Identifier: Apache-2.0
// The pictures of the documentation, made from the program: node pictures.mjs [FOLDER [studio report waveforms ...]]
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { browser, node, openPage, port, program, settled, source, startStudio, state, until } from "./harness.mjs";

const folder = process.argv[2] ?? join(source, "docs/images");
const only = process.argv.slice(3);
const wanted = (part) => only.length === 0 || only.includes(part);
const ends = [];
const t = { after: (f) => ends.unshift(f) };
const example = (name) => readFileSync(join(source, "examples/graphs", name), "utf8");
const size = { width: 1440, height: 900 };

/** Everything has run, all that is in view is drawn, and nothing moves. */
async function rest(studio, page) {
  await until(async () => !(await studio.get("/api/graphs"))[0].running, 60000);
  await page.mouse.move(size.width / 2, 20);
  await settled(page);
  await page.waitForFunction(() => ![...document.querySelectorAll(".lmv-thumbnail[data-state='waiting'], .lmv-stage[data-state='waiting'], .lmv-waiting")].some((e) => e.getBoundingClientRect().width > 0), null, { timeout: 30000 });
  await page.waitForTimeout(600); // shades and curves fade in
}
async function save(studio, page, name) {
  await rest(studio, page);
  await page.screenshot({ path: join(folder, name + ".png") });
}
async function open(name, options = {}) {
  const studio = await startStudio(t, { graph: example(name) });
  const { page } = await openPage(t, studio.url, { ...size, ...options });
  for (const id of Object.keys(JSON.parse(example(name)).nodes)) await state(page, id, "done", "cached", "warning").catch(() => {});
  await page.getByTestId("fit").click();
  return { studio, page };
}
async function pin(page, at) {
  const [id, name] = at.split(".");
  await port(page, id, "out", name).click();
  await page.getByTestId(`probe-tile-${at}`).getByTestId("probe-pin").click();
}

/** The first run of the README, and the top of its report. */
async function report() {
  const work = mkdtempSync(join(tmpdir(), "larmor-pictures-"));
  ends.unshift(() => rmSync(work, { recursive: true, force: true }));
  const run = (...words) => execFileSync(program, words, { cwd: work, stdio: "ignore" });
  run("dro", "dce", "-o", "phantom", "--grid", "64,64,32", "--snr", "100");
  run("dce", "phantom/config.yaml", "phantom", "-o", "warm");
  run("dce", "phantom/config.yaml", "phantom", "-o", "maps");
  const chrome = await chromium.launch({ executablePath: browser, args: ["--no-sandbox"] });
  ends.unshift(() => chrome.close());
  const page = await chrome.newPage({ viewport: { width: 1100, height: 1140 }, deviceScaleFactor: 0.8 });
  await page.goto("file://" + join(work, "maps/report.html"));
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(folder, "report.png") });
}
/** The command of docs/how-to/design-trajectory.md. */
function waveforms() {
  const text = readFileSync(join(source, "docs/how-to/design-trajectory.md"), "utf8");
  const words = /^larmor (traj spiral[^]*?)-o positions\.npy/m.exec(text)[1].replaceAll("\\\n", " ").trim().split(/\s+/);
  execFileSync(program, [...words, "-o", join(folder, "spiral-waveforms.svg")], { stdio: "ignore" });
}

/** The DCE example: canvas, values, profiler, dashboard; the canvas in the dark, too. */
async function dce() {
  for (const dark of [false, true]) {
    const { studio, page } = await open("dce.json", { dark });
    await save(studio, page, dark ? "studio-dark" : "studio");
    if (dark) break;
    await pin(page, "Ktrans.image");
    await pin(page, "voxel.curve");
    await save(studio, page, "studio-values");
    await page.getByTestId("dock-profiler").click();
    await page.getByTestId("profiler-run").locator("option").first().waitFor({ state: "attached" });
    // The first run, in which everything was computed.
    await page.getByTestId("profiler-run").selectOption({ index: (await page.getByTestId("profiler-run").locator("option").count()) - 1 });
    await save(studio, page, "studio-profiler");
    await page.getByTestId("toggle-dock").click();
    await page.locator("[data-testid^='page-']").nth(1).click();
    await page.getByTestId("dashboard").waitFor();
    await save(studio, page, "studio-dashboard");
  }
}
async function others() {
  const coils = await open("coil_combination.json");
  await save(coils.studio, coils.page, "studio-coils");
  const spins = await open("spin_simulator.json");
  await pin(spins.page, "scene.scene");
  await pin(spins.page, "diagram.curve");
  await save(spins.studio, spins.page, "studio-spins");

  // The graph of the first tutorial, as its steps leave it.
  const text = readFileSync(join(source, "docs/tutorial/first-graph.md"), "utf8");
  const first = await startStudio(t, { graph: /cat > first.json <<\s?'END'\n(.*?)^END$/ms.exec(text)[1] });
  const { page } = await openPage(t, first.url, { width: 1280, height: 800 });
  await state(page, "tissue", "done", "cached");
  await node(page, "tissue").locator(".node-head").click();
  await port(page, "tissue", "out", "tissue").click();
  await save(first, page, "studio-first");
}

try {
  if (wanted("report")) await report();
  if (wanted("waveforms")) waveforms();
  if (wanted("studio")) await dce().then(others);
  for (const name of readdirSync(folder)) if (statSync(join(folder, name)).size > 300e3) throw new Error(`${name} is larger than 300 kB`);
} finally {
  for (const end of ends) await Promise.resolve().then(end).catch((e) => console.error(e.message));
}
