// SPDX-License-Identifier: Apache-2.0
// Values are measured, compared and saved in the viewers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { drawn, frames, openPage, port, skip, startStudio, state, until } from "../harness.mjs";

const tileOf = (page, at) => page.getByTestId(`probe-tile-${at}`);
/** Probes a port and waits for its picture. */
async function look(page, at) {
  const [id, name] = at.split(".");
  await port(page, id, "out", name).click();
  const tile = tileOf(page, at);
  await tile.locator(".lmv-stage canvas").first().waitFor();
  await drawn(tile.locator(".lmv-stage"));
  return tile;
}
/** "−12.5" and "1.2e−3" as numbers. */
const numbers = (text) => text.replace(/−/g, "-").match(/-?\d+(?:\.\d+)?(?:e-?\d+)?/g)?.map(Number) ?? [];
async function drag(page, [x0, y0], [x1, y1]) {
  await page.mouse.move(x0, y0);
  await page.mouse.down();
  await page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2, { steps: 3 });
  await page.mouse.move(x1, y1, { steps: 3 });
  await page.mouse.up();
}

// Every pixel says where it is: x + 40 y.
const ramp = {
  larmor: 1, title: "A known image",
  nodes: { ramp: { op: "source.array", at: [0, 0], settings: { shape: "x=40, y=30", formula: "x + 40 * y", coordinates: "index" } } },
};

test("regions of an image that is known: rectangle, ellipse and polygon", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: ramp });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "ramp", "done", "cached");
  const tile = await look(page, "ramp.out");
  const stage = tile.locator(".lmv-stage");
  // The place of a pixel of the middle of the image, wherever that lies: the table of results takes some of its room.
  const frame = async () => {
    const box = await stage.boundingBox(), bar = 76;
    const [cx, cy, d] = [box.x + (box.width - bar) / 2, box.y + box.height / 2, box.height * 0.25];
    return (u, v) => [cx + u * d, cy + v * d];
  };
  let at = await frame();
  await stage.press("r");
  await drag(page, at(-1, -1), at(1, 1));
  await tile.locator(".lmv-rois tbody tr").first().waitFor();
  at = await frame();
  await stage.press("e");
  await drag(page, at(-1, 1), at(1, -1));  // corners that are no handles of the rectangle
  await stage.press("g");
  for (const [u, v] of [[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8]]) await page.mouse.click(...at(u, v));
  await stage.press("Enter");
  const rows = tile.locator(".lmv-rois tbody tr");
  await until(async () => (await rows.count()) === 3 && !/…/.test((await rows.allInnerTexts()).join()));
  const table = (await rows.allInnerTexts()).map((text) => numbers(text));
  await picture("viewing-regions");
  const [rect, ellipse, triangle] = table.map(([, mean, sd, median, min, max, n, area]) => ({ mean, sd, median, min, max, n, area }));
  // Columns and rows of the rectangle follow from its smallest and largest value; all else follows from those.
  const [i0, j0, i1, j1] = [rect.min % 40, Math.floor(rect.min / 40), rect.max % 40, Math.floor(rect.max / 40)];
  const values = [];
  for (let j = j0; j <= j1; ++j) for (let i = i0; i <= i1; ++i) values.push(i + 40 * j);
  const mean = values.reduce((a, b) => a + b) / values.length;
  const sd = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1));
  assert.equal(rect.n, values.length);
  const near = (a, b, what) => assert.ok(Math.abs(a - b) <= 6e-4 * Math.abs(b), `${what}: ${a} and ${b}`);  // four digits are shown
  near(rect.mean, mean, "mean");
  near(rect.median, mean, "median");
  near(rect.sd, sd, "sd");
  // An ellipse in the same frame has the same middle and pi / 4 of the pixels, give or take its rim.
  assert.ok(Math.abs(ellipse.mean - mean) < 25, `${ellipse.mean} and ${mean}`);
  assert.ok(Math.abs(ellipse.n / rect.n - Math.PI / 4) < 0.1, `${ellipse.n} of ${rect.n}`);
  assert.ok(Math.abs(ellipse.area / rect.area - Math.PI / 4) < 0.02, `${ellipse.area} of ${rect.area}`);
  assert.ok(Math.abs(triangle.area / rect.area - 0.32) < 0.02, `${triangle.area} of ${rect.area}`);
  assert.ok(Math.abs(triangle.n / rect.n - 0.32) < 0.08, `${triangle.n} of ${rect.n}`);
  // The table is saved as it is.
  const saved = page.waitForEvent("download");
  await tile.getByTitle("Save the table as CSV").click();
  const text = readFileSync(await (await saved).path(), "utf8").trim().split("\n");
  assert.match(text[0], /^region,shape,mean/);
  assert.deepEqual(text.slice(1).map((line) => line.split(",")[1]), ["rect", "ellipse", "polygon"]);
  near(Number(text[1].split(",")[2]), mean, "mean in the file");
  // A line profile goes up by what it crosses.
  await stage.press("l");
  await drag(page, at(-1, 0), at(1, 0));
  await tile.locator(".lmv-results .lmv-plot canvas").first().waitFor();
  await picture("viewing-profile");
});

// A ramp and a head, each with a part of itself on a coarser grid of other voxels.
const grids = JSON.parse(`{"larmor":1,"title":"Grids","nodes":{
  "ramp":{"op":"phantom.gradient","at":[-40,0],"settings":{"size":[96,80,6],"along_x":1,"along_y":10,"along_z":100}},
  "placed":{"op":"image.from_array","at":[220,160],"settings":{"spacing":[2,3,5]}},
  "part":{"op":"array.crop","at":[480,0],"settings":{"ranges":"x=20:80, y=10:70"}},
  "coarse":{"op":"image.resample","at":[760,0],"settings":{"size":"x=37, y=23","antialias":false}},
  "head":{"op":"phantom.shepp_logan","at":[0,400],"settings":{"size":[160,160,6],"oversample":1}},
  "piece":{"op":"array.crop","at":[300,400],"settings":{"ranges":"x=40:120, y=30:130"}},
  "blurred":{"op":"image.resample","at":[600,400],"settings":{"size":"x=40, y=30"}}},
  "wires":{"placed.in":"ramp.out","part.in":"placed.out","coarse.in":"part.out","piece.in":"head.out","blurred.in":"piece.out"}}`);

test("an image of another grid is laid over, wiped and subtracted where it lies in space", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: grids });
  const { page, picture } = await openPage(t, studio.url, { latency: 150 });  // the second image comes under a pointer that lies still
  for (const id of ["coarse", "blurred"]) await state(page, id, "done", "cached");
  const compare = async (tile, other, mode) => {
    await tile.getByTitle(/^Compare with another port/).click();
    await page.getByTitle("Second port").selectOption(other);
    await page.getByTitle("How", { exact: true }).selectOption(mode);
    await page.keyboard.press("Escape");
  };
  let tile = await look(page, "placed.out");
  await compare(tile, "coarse.out", "difference");
  const box = await tile.locator(".lmv-stage").boundingBox();
  const [cx, cy] = [box.x + box.width / 2 - 40, box.y + box.height / 2];
  // A linear ramp is the same on every grid: B reads as A where it lies, and is nothing elsewhere.
  let inside = 0;
  for (const [u, v] of [[0, 0], [0.1, 0.15], [-0.12, 0.1], [0.13, -0.2], [-0.1, -0.1]]) {
    await page.mouse.move(cx + u * box.height, cy + v * box.height);
    await until(async () => /B /.test(await tile.locator(".lmv-status").innerText()));
    const [a, b] = await Promise.all(["b:not(.lmv-b)", "b.lmv-b"].map(async (s) => numbers(await tile.locator(`.lmv-status ${s}`).innerText())[0]));
    assert.ok(Math.abs(a - b) < 2e-3 * Math.max(1, Math.abs(a)), `${a} and ${b} at ${u}, ${v}`);
    inside++;
  }
  assert.equal(inside, 5);
  await picture("viewing-difference");
  tile = await look(page, "head.out");
  await compare(tile, "blurred.out", "overlay");
  await drawn(tile.locator(".lmv-stage"));
  await picture("viewing-overlay");
  await compare(tile, "blurred.out", "wipe");
  await drawn(tile.locator(".lmv-stage"));
  await picture("viewing-wipe");
});

/** Points of the first curve of a plot, as parts of the plot: the middle of its colour in each column of pixels. */
const traced = (tile) => tile.locator(".lmv-curves canvas").first().evaluate((canvas) => {
  const { data, width, height } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const points = [];
  for (let x = 0; x < width; ++x) {
    let n = 0, sum = 0;
    for (let y = 0; y < height; ++y) {
      const k = 4 * (y * width + x);
      if (data[k + 3] > 200 && Math.max(data[k], data[k + 1], data[k + 2]) - Math.min(data[k], data[k + 1], data[k + 2]) > 90) {
        n++;
        sum += y;
      }
    }
    if (n) points.push([x / width, sum / n / height]);
  }
  return points;
});
/** How far a curve is from its chord at most, as part of the plot. */
function bend(points) {
  const [[x0, y0], [x1, y1]] = [points[0], points.at(-1)];
  return Math.max(...points.map(([x, y]) => Math.abs(y - y0 - ((y1 - y0) * (x - x0)) / (x1 - x0))));
}

test("curves: logarithmic axes, a part of it, and back", { skip, timeout: 300000 }, async (t) => {
  const graph = {
    larmor: 1, title: "Decay",
    nodes: { decay: { op: "source.array", at: [0, 0], settings: { shape: "t=400", formula: "exp(-t / 60)", coordinates: "index" } }, curve: { op: "view.curve", at: [300, 0], settings: { label: "signal" } } },
    wires: { "curve.in": "decay.out" },
  };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "curve", "done", "cached");
  await port(page, "curve", "out", "curve").click();
  const tile = tileOf(page, "curve.curve");
  await until(async () => (await traced(tile)).length > 100);
  assert.ok(bend(await traced(tile)) > 0.3, "an exponential is bent");
  // Over a logarithmic axis of values it is a straight line: within a hundredth of the plot, about three pixels.
  await tile.getByTitle("Logarithmic values").click();
  await until(async () => bend(await traced(tile)) < 0.01);
  await picture("viewing-log");
  await tile.getByTitle("View", { exact: true }).click();
  await page.getByLabel("Logarithmic axis").click();
  await page.keyboard.press("Escape");
  await until(async () => bend(await traced(tile)) > 0.2);
  await tile.getByTitle("View", { exact: true }).click();
  await page.getByLabel("Logarithmic axis").click();
  await page.keyboard.press("Escape");
  await tile.getByTitle("Logarithmic values").click();
  await until(async () => bend(await traced(tile)) > 0.3);
  // The later half of it, by a drag: there the curve is flatter; a double click brings all of it back.
  const whole = bend(await traced(tile));
  const over = await tile.locator(".lmv-curves .u-over").boundingBox();
  await drag(page, [over.x + over.width * 0.02, over.y + over.height / 2], [over.x + over.width * 0.2, over.y + over.height / 2]);
  await until(async () => bend(await traced(tile)) < whole - 0.1);
  await page.mouse.dblclick(over.x + over.width / 2, over.y + over.height / 2);
  await until(async () => Math.abs(bend(await traced(tile)) - whole) < 0.02);
});

test("slices side by side say where they are; spins in space are turned, played and hidden", { skip, timeout: 300000 }, async (t) => {
  const graph = {
    larmor: 1, title: "Space",
    nodes: {
      where: { op: "source.array", at: [0, 0], settings: { shape: "x=20, y=16, z=6", formula: "100 * z", coordinates: "index" } },
      spins: { op: "sim.spins", at: [0, 260] }, pulse: { op: "sim.pulse", at: [0, 520] }, wait: { op: "sim.delay", at: [260, 520], settings: { duration: 20 } },
      bloch: { op: "sim.bloch", at: [520, 400], settings: { record_every: 1 } }, scene: { op: "sim.scene", at: [800, 400], settings: { trail: 0 } },
    },
    wires: { "wait.before": "pulse.sequence", "bloch.sequence": "wait.sequence", "bloch.spins": "spins.spins", "scene.record": "bloch.record", "scene.times": "bloch.record_times", "scene.spins": "spins.spins" },
  };
  const studio = await startStudio(t, { graph });
  const { page, picture } = await openPage(t, studio.url);
  await state(page, "where", "done", "cached");
  await state(page, "scene", "done", "cached");
  let tile = await look(page, "where.out");
  await tile.getByTitle("Tiles: all slices side by side").click();
  await page.getByTitle("Axis of the tiles").selectOption("z");
  await page.keyboard.press("Escape");
  await drawn(tile.locator(".lmv-stage"));
  // Every tile is one slice: the value under the pointer is a hundred times its index, and all six are there.
  const box = await tile.locator(".lmv-stage").boundingBox();
  const seen = new Set();
  for (let v = 0.1; v < 1; v += 0.2)
    for (let u = 0.04; u < 0.85; u += 0.08) {
      await page.mouse.move(box.x + u * box.width, box.y + v * box.height);
      await frames(page);
      const text = await tile.locator(".lmv-status").innerText();
      const z = /z\s*(\d)/.exec(text)?.[1];
      if (z === undefined || /^f32/.test(text)) continue;  // between tiles it says what the array is
      assert.equal(numbers(text)[0], 100 * Number(z), text);
      seen.add(z);
    }
  assert.deepEqual([...seen].sort(), ["0", "1", "2", "3", "4", "5"]);
  await picture("viewing-tiles");
  await port(page, "scene", "out", "scene").click();
  tile = tileOf(page, "scene.scene");
  const canvas = tile.locator(".lmv-scene canvas");
  await canvas.waitFor();
  const shot = async () => (await canvas.screenshot()).toString("base64");
  await until(async () => (await tile.locator("input[aria-label='Time']").count()) === 1);
  const first = await shot();
  const c = await canvas.boundingBox();
  await drag(page, [c.x + c.width / 2, c.y + c.height / 2], [c.x + c.width / 2 + 90, c.y + c.height / 2 + 30]);
  await until(async () => (await shot()) !== first);
  const turned = await shot();
  await picture("viewing-scene");
  await tile.locator("input[aria-label='Time']").fill("1");
  await until(async () => (await shot()) !== turned);
  await tile.getByTitle("Play").click();
  await until(async () => Number(await tile.locator("input[aria-label='Time']").inputValue()) > 2);
  await tile.getByTitle("Stop").click();
  const stopped = await shot();
  const chips = tile.locator(".lmv-chips button");
  assert.ok((await chips.count()) > 1, "what is drawn can be chosen");
  await chips.first().click();
  await until(async () => (await shot()) !== stopped);
});
