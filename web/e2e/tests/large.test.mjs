// SPDX-License-Identifier: Apache-2.0
// Many nodes, and a cine: how fast. Bounds are wide, and wider where the machine is slow or shared; the figures are printed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { docOf, node, openPage, port, roundOnce, set, settled, skip, slowness, startStudio, state, until } from "../harness.mjs";

/** A field of nodes: rows of chains. */
function field(n) {
  const nodes = {}, wires = {};
  for (let k = 0; k < n; ++k) {
    nodes[`n${k}`] = { op: "math.add", at: [(k % 25) * 240, Math.floor(k / 25) * 170], settings: { value: k } };
    if (k % 25) wires[`n${k}.a`] = `n${k - 1}.out`;
    else {
      nodes[`s${k}`] = { op: "source.number", at: [-240, Math.floor(k / 25) * 170], settings: {} };
      wires[`n${k}.a`] = `s${k}.out`;
    }
  }
  return { larmor: 1, title: `${n} nodes`, nodes, wires };
}

/** Times between frames while something is done [ms], sorted. */
async function frames(page, work) {
  await page.evaluate(() => {
    window.frames_ = [];
    let last = performance.now();
    window.going_ = true;
    const frame = (now) => (window.frames_.push(now - last), (last = now), window.going_ && requestAnimationFrame(frame));
    requestAnimationFrame(frame);
  });
  await work();
  return page.evaluate(() => ((window.going_ = false), window.frames_.slice(1).sort((a, b) => a - b)));
}
const at = (times, p) => times[Math.min(times.length - 1, Math.floor(p * times.length))];
const told = (times) => `median ${at(times, 0.5).toFixed(1)} ms, 95 % ${at(times, 0.95).toFixed(1)} ms, longest ${at(times, 1).toFixed(1)} ms over ${times.length} frames`;

/** Drags the canvas round with the middle button. */
async function pan(page, box) {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down({ button: "middle" });
  for (let i = 0; i <= 40; i++) await page.mouse.move(x + 260 * Math.sin((2 * Math.PI * i) / 40), y + 160 * Math.sin((4 * Math.PI * i) / 40));
  await page.mouse.up({ button: "middle" });
}
/** Comes nearer until nodes are drawn one by one. */
async function nearer(page, box) {
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let k = 0; k < 40 && !(await page.locator(".react-flow__node").count()); ++k) {
    await page.mouse.wheel(0, -240);
    await settled(page);
  }
  assert.ok(await page.locator(".react-flow__node").count(), "nodes appear nearer by");
  await page.getByTestId("far-view").waitFor({ state: "detached" });  // all of them
}

// Frames as they are on a quiet machine are 17 ms.
for (const [n, median, open] of [[500, 100, 20], [2000, 150, 40]]) {
  test(`${n} nodes: opened, panned, a setting changed`, { skip, timeout: 300000 }, async (t) => {
    const studio = await startStudio(t, { graph: field(Math.round((n * 24) / 25)) });
    const begun = Date.now();
    const { page, picture } = await openPage(t, studio.url);
    await page.getByTestId("far-view").or(page.locator(".react-flow__node").first()).first().waitFor();
    const opened = (Date.now() - begun) / 1000;
    await until(async () => (await studio.get("/api/graphs"))[0] && !(await studio.get(`/api/graphs/${(await studio.get("/api/graphs"))[0].id}`)).running, 60000);
    const slow = [await slowness(page)];
    const box = await page.getByTestId("canvas").boundingBox();
    const far = await frames(page, () => pan(page, box));
    await picture(`nodes-${n}`);
    await nearer(page, box);
    slow.push(await slowness(page));
    const near = await frames(page, () => pan(page, box));
    slow.push(await slowness(page));
    // A setting of a node that is seen, at the beginning of a chain: the form, the server, what depends on it, the canvas.
    // The one nearest to the middle of the canvas: others may lie half under a panel.
    const id = await page.$$eval(
      ".react-flow__node [data-testid^='node-'][data-state]",
      (all, [x, y]) => {
        const away = (e) => ((r) => Math.hypot(r.x + r.width / 2 - x, r.y + r.height / 2 - y))(e.getBoundingClientRect());
        return all.sort((a, b) => away(a) - away(b))[0].dataset.testid.slice(5);
      },
      [box.x + box.width / 2, box.y + box.height / 2],
    );
    await node(page, id).first().click();
    await page.getByTestId("setting-value").waitFor();
    const pressed = Date.now();
    await set(page, "value", "12345");
    await until(async () => (await docOf(studio)).nodes[id].settings.value === 12345);
    const applied = (Date.now() - pressed) / 1000;
    await state(page, id, "done");
    const ran = (Date.now() - pressed) / 1000;
    slow.push(await slowness(page));
    const times = Math.max(...slow);
    console.log(`${n} nodes, ${times.toFixed(1)} times slower than a quiet machine: open ${opened.toFixed(1)} s (Chromium's start included); pan from afar ${told(far)}; near ${told(near)}; a setting reaches the document in ${applied.toFixed(2)} s, its node has run in ${ran.toFixed(2)} s`);
    assert.ok(opened < open * times, `opened in ${opened} s`);
    assert.ok(at(far, 0.5) < median * times && at(near, 0.5) < median * times, `median frames ${at(far, 0.5)} and ${at(near, 0.5)} ms`);
    assert.ok(applied < 5 * times && ran < 15 * times, `a setting takes ${applied} and ${ran} s`);
  });
}

test("a cine of complex frames of 256 x 256", { skip, timeout: 300000 }, async (t) => {
  // 24 frames of a phantom that turn their phase, made by a sweep.
  const graph = {
    larmor: 1, title: "Cine",
    nodes: { phantom: { op: "phantom.shepp_logan", at: [0, 0], settings: { size: [256, 256], oversample: 1 } }, kspace: { op: "fourier.fft", at: [320, 0] }, frame: { op: "math.multiply", at: [640, 0], sweeps: { value: Array.from({ length: 24 }, (_, k) => 0.5 + k / 24) } } },
    wires: { "kspace.in": "phantom.out", "frame.a": "kspace.out" },
  };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "frame", "done", "cached");
  await port(page, "frame", "out", "out").click();
  const tile = page.getByTestId("probe-tile-frame.out");
  await tile.locator("canvas").first().waitFor();
  const slider = tile.locator("input[type=range]").first();
  await slider.waitFor();
  await tile.locator(".lmv-stage").press(" ");
  const fps = tile.locator("label", { hasText: "fps" }).locator("input");
  await fps.fill("30");
  await fps.press("Enter");
  await roundOnce(page, "[data-testid='probe-tile-frame.out'] input[type=range]");
  const before = await slowness(page);
  const rate = await page.evaluate(async () => {
    const input = document.querySelector("[data-testid='probe-tile-frame.out'] input[type=range]");
    let n = 0, last = input.value;
    const begin = performance.now();
    while (performance.now() - begin < 3000) {
      if (input.value !== last) n++;
      last = input.value;
      await new Promise((r) => requestAnimationFrame(r));
    }
    return (1000 * n) / (performance.now() - begin);
  });
  await picture("cine");
  const times = Math.max(before, await slowness(page));
  console.log(`cine of 256 x 256 c64: ${rate.toFixed(1)} frames a second, ${times.toFixed(1)} times slower than a quiet machine`);
  assert.ok(rate > 8 / times, `${rate} frames a second`);
});
