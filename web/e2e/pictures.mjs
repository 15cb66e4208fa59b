// SPDX-License-Identifier: Apache-2.0
// The pictures of the documentation, made from the program: node pictures.mjs FOLDER
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { openPage, port, source, startStudio, state } from "./harness.mjs";

const folder = process.argv[2] ?? join(source, "docs/images");
const ends = [];
const t = { after: (f) => ends.unshift(f) };
const example = (name) => readFileSync(join(source, "examples/graphs", name), "utf8");
const save = (page, name) => page.screenshot({ path: join(folder, name + ".png") });
try {
  const dce = await startStudio(t, { graph: example("dce.json") });
  for (const dark of [false, true]) {
    const { page } = await openPage(t, dce.url, { dark, width: 1600, height: 1000 });
    const ids = Object.keys(JSON.parse(example("dce.json")).nodes);
    await page.getByTestId("run").click();
    for (const id of ids) await state(page, id, "done", "cached", "warning", "error").catch(() => {});
    await page.getByTestId("fit").click();
    await page.waitForTimeout(2500);
    await save(page, dark ? "studio-dark" : "studio");
    if (dark) break;
    const maps = page.locator("[data-testid^='node-']").first();
    await maps.waitFor();
    const g = (await dce.get("/api/graphs"))[0].id;
    const nodes = (await dce.get(`/api/graphs/${g}`)).nodes;
    const of = (type) => Object.values(nodes).flatMap((n) => Object.entries(n.outputs ?? {}).filter(([, o]) => o.type === type).map(([name]) => [n.path, name]))[0];
    for (const type of ["maps", "curve"]) {
      const found = of(type);
      if (!found) continue;
      await port(page, found[0], "out", found[1]).click();
      await page.getByTestId("probe-pin").last().click();
      await page.waitForTimeout(1200);
    }
    await page.waitForTimeout(1500);
    await save(page, "studio-values");
    await page.getByTestId("dock-profiler").click();
    await page.waitForTimeout(1200);
    await save(page, "studio-profiler");
  }
  const coils = await startStudio(t, { graph: example("coil_combination.json") });
  const { page } = await openPage(t, coils.url, { width: 1600, height: 1000 });
  await page.getByTestId("run").click();
  await page.waitForTimeout(4000);
  await page.getByTestId("fit").click();
  await page.waitForTimeout(2500);
  await save(page, "studio-coils");
} finally {
  for (const end of ends) await end().catch((e) => console.error(e.message));
}
