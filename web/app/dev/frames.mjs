// SPDX-License-Identifier: Apache-2.0
// node dev/frames.mjs [example ...]: frame times while a hand pans and zooms over large graphs (the client must be built).
import { launch, serve } from "./browser.mjs";

process.env.LARMOR_MOCK_PACE ??= "0";
const { url, close } = await serve();
const context = await launch();
const wanted = process.argv.slice(2);
for (const example of wanted.length ? wanted : ["five_hundred", "two_thousand"]) {
  const page = await context.newPage();
  page.on("pageerror", (e) => console.log("error:", e.message));
  await page.goto(url);
  const id = await page.evaluate(async (name) => {
    const auto = await (await fetch("/api/graphs", { method: "POST", body: JSON.stringify({ example: name }) })).json();
    return auto.id;
  }, example);
  await page.evaluate((g) => {
    sessionStorage.setItem("larmor.tabs", JSON.stringify([g]));
    location.hash = "#/g/" + g;
  }, id);
  const began = Date.now();
  await page.reload();
  await page.waitForSelector('.react-flow__node, [data-testid="far-view"]');
  console.log(example, "seen after", Date.now() - began, "ms");
  await page.waitForTimeout(4000);
  const box = await page.locator('[data-testid="canvas"]').boundingBox();
  const cx = box.x + box.width / 2, cy = box.y + box.height / 2;
  const measure = async (name, act) => {
    await page.evaluate(() => {
      window.frames_ = [];
      let last = performance.now();
      window.stop_ = false;
      const step = (t) => {
        window.frames_.push(t - last);
        last = t;
        if (!window.stop_) requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    });
    await act();
    const times = await page.evaluate(() => {
      window.stop_ = true;
      return window.frames_.slice(2);
    });
    times.sort((a, b) => a - b);
    const q = (p) => times[Math.min(times.length - 1, Math.floor(p * times.length))].toFixed(1);
    const drawn = await page.evaluate(() => (document.querySelector('[data-testid="far-view"]') ? "painted" : document.querySelectorAll(".react-flow__node").length + " nodes drawn"));
    console.log(`  ${name.padEnd(26)} ${String(times.length).padStart(4)} frames  median ${q(0.5)}  p95 ${q(0.95)}  worst ${q(1)} ms   (${drawn})`);
  };
  const pan = async (n = 60) => {
    await page.mouse.move(cx, box.y + 8);
    await page.mouse.down({ button: "middle" });
    for (let i = 0; i <= n; i++) await page.mouse.move(cx + 300 * Math.sin((2 * Math.PI * i) / n), box.y + 8 + 200 * Math.sin((4 * Math.PI * i) / n));
    await page.mouse.up({ button: "middle" });
  };
  const wheel = async (delta, n) => {
    await page.mouse.move(cx, cy);
    for (let i = 0; i < n; i++) {
      await page.mouse.wheel(0, delta);
      await page.waitForTimeout(16);
    }
  };
  await measure("pan, everything in view", () => pan());
  await measure("zoom in", () => wheel(-120, 24));
  await measure("pan, close", () => pan());
  await measure("zoom out", () => wheel(120, 16));
  await measure("pan, half way", () => pan());
  await wheel(-120, 10);
  await page.waitForTimeout(300);
  const node = page.locator('.react-flow__node:has(.node-head)').first();
  const at = await node.boundingBox().catch(() => null);
  if (at) {
    await measure("drag a node", async () => {
      await page.mouse.move(at.x + 30, at.y + 8);
      await page.mouse.down();
      for (let i = 0; i < 50; i++) await page.mouse.move(at.x + 30 + i * 3, at.y + 8 + 40 * Math.sin(i / 5));
      await page.mouse.up();
    });
  }
  await page.close();
}
await context.close();
await close();
process.exit(0);
