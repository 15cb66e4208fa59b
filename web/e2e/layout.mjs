// SPDX-License-Identifier: Apache-2.0
// Lays out graph files in place as Studio does, sub-graphs too: node layout.mjs FILE...
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { openPage, startStudio } from "./harness.mjs";

const ends = [];
const t = { after: (f) => ends.unshift(f) };
try {
  for (const file of process.argv.slice(2)) {
    const studio = await startStudio(t, { graph: readFileSync(file, "utf8") });
    const { page } = await openPage(t, studio.url);
    const g = (await studio.get("/api/graphs"))[0].id;
    const doc = async () => (await studio.get(`/api/graphs/${g}`)).graph;
    await page.getByTestId("auto").click();
    const visit = async (graph, path) => {
      await page.getByTestId("canvas").click({ position: { x: 12, y: 200 } });
      await page.keyboard.press("Escape");
      await page.keyboard.press("l");
      await page.waitForTimeout(700);
      for (const [id, n] of Object.entries(graph.nodes ?? {})) {
        const inner = n.graph && (graph.definitions?.[n.graph] ?? (await doc()).definitions?.[n.graph]);
        if (!inner) continue;
        await page.getByTestId("fit").click();
        await page.waitForTimeout(300);
        await page.getByTestId(`node-${id}`).locator(".node-head").dblclick();
        await page.getByTestId("breadcrumb").waitFor();
        await visit(inner, [...path, id]);
        await page.keyboard.press("Control+ArrowUp");
        await page.waitForTimeout(300);
      }
    };
    await visit(await doc(), []);
    await page.keyboard.press("Control+s");
    await page.waitForFunction(() => /Saved/.test(document.querySelector("[data-testid='saved-mark']").innerText));
    writeFileSync(file, readFileSync(join(studio.folder, "graph.json"), "utf8"));
    console.log(basename(file), "laid out");
  }
} finally {
  for (const end of ends) await end().catch((e) => console.error(e.message));
}
