// SPDX-License-Identifier: Apache-2.0
// Graphs that come along are pleasant to open: no node, frame or comment lies over another.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openPage, skip, source, startStudio } from "../harness.mjs";

const files = ["examples/graphs", "graphs"].flatMap((folder) => readdirSync(join(source, folder)).filter((f) => f.endsWith(".json")).map((f) => join(folder, f)));
const over = (a, b) => Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 1 && Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 1;
const holds = (a, b) => b.x >= a.x - 1 && b.y >= a.y - 1 && b.x + b.width <= a.x + a.width + 1 && b.y + b.height <= a.y + a.height + 1;

test("nothing overlaps in the graphs that come along", { skip, timeout: 240000 }, async (t) => {
  const studio = await startStudio(t, {});
  const { page, picture } = await openPage(t, studio.url);
  await page.getByTestId("auto").click();
  for (const file of files) {
    const graph = JSON.parse(readFileSync(join(source, file), "utf8"));
    const { id } = await (await fetch(`${studio.base}/api/graphs`, { method: "POST", body: JSON.stringify({ graph }) })).json();
    await fetch(`${studio.base}/api/graphs/${id}/auto`, { method: "PUT", body: JSON.stringify({ on: false }) });
    const visit = async (g, where) => {
      const n = Object.keys(g.nodes ?? {}).length;
      await page.waitForFunction((k) => document.querySelectorAll("[data-testid^='node-'][data-state]").length === k, n);
      const items = await page.$$eval("[data-testid^='node-'][data-state], [data-testid^='comment-'], [data-testid^='frame-']", (all) => all.map((e) => ({ id: e.dataset.testid, ...(({ x, y, width, height }) => ({ x, y, width, height }))(e.getBoundingClientRect()) })));
      items.forEach((a, i) => items.slice(i + 1).forEach((b) => {
        const frame = a.id.startsWith("frame-") || b.id.startsWith("frame-");
        assert.ok(!over(a, b) || (frame && (holds(a, b) || holds(b, a))), `${where}: ${a.id} lies over ${b.id}; node layout.mjs ${file} lays it out`);
      }));
      await picture(`graph-${where.replace(/\W+/g, "-")}`);
    };
    await page.goto(`${studio.base}/#/g/${id}`);
    await page.reload();
    await page.getByTestId(`tab-${id}`).waitFor();
    await page.waitForFunction((g) => document.querySelector(`[data-testid='tab-${g}']`)?.getAttribute("aria-selected") === "true", id);
    await page.getByTestId("fit").click();
    await page.waitForTimeout(400);
    await visit(graph, file);
    for (const [node, n] of Object.entries(graph.nodes)) {
      const inner = n.graph && graph.definitions?.[n.graph];
      if (!inner) continue;
      await page.getByTestId(`node-${node}`).locator(".node-head").dblclick();
      await page.getByTestId("breadcrumb").waitFor();
      await page.getByTestId("fit").click();
      await page.waitForTimeout(400);
      await visit(inner, `${file} ${node}`);
      await page.keyboard.press("Control+ArrowUp");
    }
  }
});
