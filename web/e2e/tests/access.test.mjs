// SPDX-License-Identifier: Apache-2.0
// Studio for those who use the keyboard or hear the page: what can be used has a name, and the keyboard reaches it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { node, openPage, port, skip, source, startStudio, state, until } from "../harness.mjs";

const used = new Set(["button", "checkbox", "combobox", "dialog", "link", "menuitem", "radio", "searchbox", "slider", "spinbutton", "switch", "tab", "tablist", "textbox", "navigation", "complementary", "img"]);
/** What assistive technology is told of, and has no name. */
async function nameless(page) {
  const cdp = await page.context().newCDPSession(page);
  const { nodes } = await cdp.send("Accessibility.getFullAXTree");
  const out = [];
  for (const n of nodes) {
    if (n.ignored || !used.has(n.role?.value) || (n.name?.value ?? "").trim()) continue;
    const { object } = await cdp.send("DOM.resolveNode", { backendNodeId: n.backendDOMNodeId });
    const { result } = await cdp.send("Runtime.callFunctionOn", { objectId: object.objectId, functionDeclaration: "function () { return this.outerHTML?.slice(0, 120) ?? String(this); }", returnByValue: true });
    out.push(`${n.role.value}: ${result.value}`);
  }
  await cdp.detach();
  return out;
}
/** Controls inside controls: only one of them can be told of. */
const nested = (page) => page.evaluate(() => [...document.querySelectorAll("button, a[href], [role=tab], [role=menuitem]")].filter((e) => e.querySelector("button, a[href], input, select, textarea")).map((e) => e.outerHTML.slice(0, 120)));

test("everything that can be used has a name, in every place of the page", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: readFileSync(join(source, "examples/graphs/dce.json"), "utf8") });
  const { page } = await openPage(t, studio.url);
  await state(page, "check", "done", "cached");
  const look = async (where) => {
    assert.deepEqual(await nameless(page), [], where);
    assert.deepEqual(await nested(page), [], where);
  };
  await look("canvas");
  assert.equal(await page.title(), "DCE on a digital reference object · Larmor Studio");
  await node(page, "fit").locator(".node-head").click();
  await port(page, "fit", "out", "maps").click();
  await page.getByTestId("probe-tile-fit.maps").locator(".lmv-stage canvas").first().waitFor();
  await look("a node and its maps");
  await port(page, "voxel", "out", "curve").click();
  await page.getByTestId("probe-tile-voxel.curve").locator("canvas").first().waitFor();
  await look("curves");
  for (const panel of ["problems", "log", "profiler"]) {
    await page.getByTestId(`dock-${panel}`).click();
    await page.getByRole("tabpanel", { name: new RegExp(panel, "i") }).waitFor();
    await look(panel);
  }
  await page.getByTestId("file-menu").click();
  await look("menu");
  await page.keyboard.press("Escape");
  await page.getByTestId("shortcuts-button").click();
  await page.getByRole("dialog", { name: "Keyboard and mouse" }).waitFor();
  await look("shortcuts");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+o");
  await page.getByTestId("file-dialog").waitFor();
  await look("files");
  await page.keyboard.press("Escape");
  await page.locator("[data-testid^='page-']").nth(1).click();
  await page.getByTestId("dashboard").locator(".lmv-stage canvas").first().waitFor();
  await look("dashboard");
});

test("the keyboard goes between graphs, opens menus and comes back", { skip, timeout: 300000 }, async (t) => {
  const studio = await startStudio(t, { graph: { larmor: 1, title: "One", nodes: { a: { op: "source.number", at: [0, 0] } } } });
  const { page } = await openPage(t, studio.url);
  await page.getByTitle("New graph").focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.title.startsWith("Untitled"));
  const first = page.locator(".tab > button").first();
  await first.focus();
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.title.startsWith("One"));
  assert.equal(await first.getAttribute("aria-current"), "page");
  await page.getByTestId("edit-menu").focus();
  await page.keyboard.press("Enter");
  await page.getByTestId("menu").waitFor();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("role")), "menuitem");
  await page.keyboard.press("Escape");
  await until(async () => (await page.evaluate(() => document.activeElement.dataset.testid)) === "edit-menu");
});
