// SPDX-License-Identifier: Apache-2.0
// The clicks of the tutorials, in the real interface. A step says in a comment what a hand does:
//   <!-- studio: press Tab | search popul | choose dce.aif_model | see aif_model done -->
// and every word in bold has to stand on the page before it or after it.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { node, openPage, port, set, skip as cannot, source, startStudio, state } from "../harness.mjs";

const skip = cannot || (process.env.LARMOR_STUDIO ? "needs the program" : false);
const read = (page) => readFileSync(join(source, "docs/tutorial", page), "utf8");

/** Steps of a page: the graph they are done in, the text, the words in bold, and what is done. */
function steps(text, graph = "") {
  const out = [];
  for (const match of text.matchAll(/<!-- studio(?: (\S+))?: (.*?) -->/gs)) {
    if ((match[1] ?? "") !== graph) continue;
    // What the marker stands after: back to the start of the paragraph or of the numbered step.
    const before = text.slice(0, match.index).trimEnd();
    const from = Math.max(before.lastIndexOf("\n\n"), ...[...before.matchAll(/^\d+\. /gm)].map((m) => m.index));
    const said = before.slice(from).trim();
    out.push({ text: said, bold: [...said.matchAll(/\*\*(.+?)\*\*/gs)].map((b) => b[1].replace(/\s+/g, " ")), acts: match[2].split("|").map((a) => a.trim().replace(/\s+/g, " ")) });
  }
  return out;
}
/** Files that the commands of a page write. */
function filesOf(text) {
  return Object.fromEntries([...text.matchAll(/^cat > (\S+) <<\s?'END'\n(.*?)^END$/gms)].map((m) => [m[1], m[2]]));
}
/** Whether a word can be read on the page: as text, as a title, or in a field. */
const seen = (page, words) =>
  page.evaluate((w) => {
    const has = (t) => (t ?? "").replace(/\s+/g, " ").toLowerCase().includes(w.toLowerCase());
    return has(document.body.innerText) || [...document.querySelectorAll("[title], [placeholder], [aria-label]")].some((e) => has(e.title) || has(e.placeholder) || has(e.getAttribute("aria-label")));
  }, words);

const acts = {
  press: (page, keys) => page.keyboard.press(keys),
  search: (page, words) => page.getByTestId("quick-add-search").fill(words),
  choose: async (page, op) => {
    const id = op.split(".").pop();
    await page.getByTestId(`quick-add-${op}`).click();
    await node(page, id).waitFor();
  },
  find: (page, words) => page.getByTestId("palette-search").fill(words),
  double: (page, op) => page.getByTestId(`palette-${op}`).first().dblclick(),
  click: (page, id) => node(page, id).locator(".node-head").click(),
  set: (page, rest) => set(page, rest.split(" ")[0], rest.slice(rest.indexOf(" ") + 1)),
  slide: async (page, name) => {
    for (let k = 0; k < 4; ++k) await page.getByTestId(`slider-${name}`).press("ArrowRight");
  },
  probe: async (page, at) => {
    const [id, name] = at.split(".");
    await port(page, id, "out", name).click();
    await page.getByTestId(`probe-tile-${at}`).locator("canvas").first().waitFor();
  },
  pull: async (page, at) => {
    const [id, name] = at.split(".");
    const out = (await port(page, id, "out", name).count()) > 0;
    const box = await port(page, id, out ? "out" : "in", name).locator(".react-flow__handle").boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + (out ? 60 : -60), box.y + 20, { steps: 4 });
    await page.mouse.move(box.x + (out ? 130 : -150), box.y + 40, { steps: 4 });
    await page.mouse.up();
    await page.getByTestId("quick-add").waitFor();
  },
  see: (page, rest) => state(page, ...rest.split(" ")),
  slider: async (page, at) => {
    const time = page.getByTestId(`probe-tile-${at}`).locator("input[type=range]").last();
    const shown = page.getByTestId(`probe-tile-${at}`).locator(".lmv-count").last();
    const before = await shown.innerText();
    await time.press("Home");
    await page.waitForFunction(([e, was]) => e.innerText !== was, [await shown.elementHandle(), before]);
  },
  undo: (page) => page.getByTestId("undo").click(),
  panel: async (page, name) => {
    if (!(await page.getByTestId(`dock-${name}`).count())) await page.getByTestId("toggle-dock").click();
    await page.getByTestId(`dock-${name}`).click();
  },
  name: (page, file) => page.getByTestId("file-name").fill(file),
};

async function walk(page, text, more = {}, graph = "", least = 4) {
  const all = steps(text, graph);
  assert.ok(all.length >= least, "the page has steps");
  for (const step of all) {
    const missing = [];
    for (const words of step.bold) if (!(await seen(page, words))) missing.push(words);
    for (const act of step.acts) {
      const [word] = act.split(" ");
      const rest = act.slice(word.length + 1);
      const how = more[word] ?? acts[word];
      assert.ok(how, `nobody knows how to '${word}'`);
      await how(page, rest);
      for (const words of [...missing]) if (await seen(page, words)) missing.splice(missing.indexOf(words), 1);
    }
    for (const words of missing) await page.waitForFunction((w) => document.body.innerText.toLowerCase().includes(w.toLowerCase()), words).catch(() => assert.fail(`'${words}' is not on the page: ${step.text}`));
  }
}

test("your first graph: every click of the page", { skip, timeout: 300000 }, async (t) => {
  const text = read("first-graph.md");
  const studio = await startStudio(t);
  const { page, picture } = await openPage(t, studio.url);
  assert.ok(await seen(page, "An empty graph"));
  await walk(page, text, {
    save: async (_, file) => {
      await picture("tutorial-save");
      await page.getByTestId("file-ok").click();
      await page.waitForFunction(() => /Saved/.test(document.querySelector("[data-testid='saved-mark']").innerText));
      const made = JSON.parse(readFileSync(join(studio.folder, file), "utf8"));
      // What the page shows as a file is what was drawn, but for the names of nodes and the arrival that was undone.
      const shown = JSON.parse(/cat > first.json <<\s?'END'\n(.*?)^END$/ms.exec(text)[1]);
      const ops = (g) => Object.values(g.nodes).map((n) => n.op).sort();
      assert.deepEqual(ops(made), ops(shown));
      assert.equal(made.nodes.tissue_curve.settings.params, shown.nodes.tissue.settings.params);
    },
  });
  await picture("tutorial-first");
});

test("your own operation: every click of the page", { skip, timeout: 300000 }, async (t) => {
  const text = read("own-operation.md");
  const files = filesOf(text);
  assert.ok(files["ops/smooth.py"] && files["ops/ramp.py"]);
  delete files["ops/threshold.cpp"]; // needs a compiler, and has commands of its own
  const studio = await startStudio(t, { files, ops: "ops" });
  const { page, picture } = await openPage(t, studio.url);
  await walk(page, text, {
    edit: (_, rest) => {
      const [file, from, to] = rest.split(" ");
      const path = join(studio.folder, file), before = readFileSync(path, "utf8");
      assert.ok(before.includes(from), `${file} has ${from}`);
      writeFileSync(path, before.replace(from, to));
    },
    source: async (_, id) => {
      await page.getByTestId(`problem-${id}`).first().getByTestId("source-link").click();
      await page.locator(".source-lines li.marked").waitFor();
      await picture("tutorial-source");
      await page.keyboard.press("Escape");
    },
  });
  await picture("tutorial-own");
});

for (const [name, pageOf, graph] of [
  ["the object with a known truth", "first-graph.md", "dce.json"],
  ["isochromats that go and come", "simulate.md", "spin_simulator.json"],
]) {
  test(`${name}: what ${pageOf} does in ${graph}`, { skip, timeout: 300000 }, async (t) => {
    const text = read(pageOf);
    assert.match(text, new RegExp(`larmor studio ${graph}`), "the page opens it");
    assert.match(text, new RegExp(`larmor graph example ${graph.slice(0, -5)} > ${graph}`), "and makes it");
    const studio = await startStudio(t, { graph: readFileSync(join(source, "examples/graphs", graph), "utf8") });
    const { page, picture } = await openPage(t, studio.url);
    await walk(page, text, {}, graph, 1);
    await picture(`tutorial-${graph.slice(0, -5)}`);
  });
}
