// SPDX-License-Identifier: Apache-2.0
// node dev/shots.mjs [name ...]: pictures of the demo page (built before by `npm run demo:build`) into dev/shots.
import { mkdirSync } from "node:fs";
import { launch } from "./browser.mjs";
import { serve } from "./mock.mjs";

const click = (title) => async (page) => page.getByTitle(title, { exact: false }).first().click();
const pages = {
  all: ["", { w: 1500, h: 2300 }],
  dark: ["theme=dark", { w: 1500, h: 2300 }],
  complex: [`ports=complex2d&w=700&h=640&options=${encodeURIComponent('{"part":"colour"}')}`, { w: 760, h: 680 }],
  window: ["ports=complex2d&w=700&h=640", { w: 760, h: 680 }, click("Window: floor")],
  tiles: [`ports=complex4d&w=900&h=640&options=${encodeURIComponent('{"part":"colour","tile":{"axis":"z"}}')}`, { w: 960, h: 680 }],
  rois: [
    `ports=t1&w=700&h=720&options=${encodeURIComponent('{"rois":[{"kind":"rect","x0":30,"y0":30,"x1":50,"y1":60},{"kind":"ellipse","x0":55,"y0":40,"x1":75,"y1":80},{"kind":"polygon","points":[[40,70],[50,90],[30,95]]}],"line":{"x0":10,"y0":20,"x1":85,"y1":90}}')}`,
    { w: 760, h: 760 },
  ],
  wipe: [`ports=t1&w=700&h=640&options=${encodeURIComponent('{"compare":{"port":"smoothed","mode":"wipe","at":0.45}}')}`, { w: 760, h: 680 }],
  difference: [`ports=t1&w=700&h=640&options=${encodeURIComponent('{"compare":{"port":"smoothed","mode":"difference"}}')}`, { w: 760, h: 680 }],
  overlay: [`ports=t1&w=700&h=640&options=${encodeURIComponent('{"compare":{"port":"labels","mode":"overlay"}}')}`, { w: 760, h: 680 }],
  volume: [`ports=t1&viewer=volume&w=760&h=640&options=${encodeURIComponent('{"overlay":{"port":"labels"}}')}`, { w: 820, h: 680 }],
  mapsVolume: ["ports=maps&viewer=volume&w=760&h=640&theme=dark", { w: 820, h: 680 }],
  scene: ["ports=scene&w=760&h=640", { w: 820, h: 680 }],
  spins: [`ports=spins&w=760&h=640&options=${encodeURIComponent('{"step":70}')}`, { w: 820, h: 680 }],
  spiral: [`ports=spiral&w=1100&h=560&options=${encodeURIComponent('{"step":300}')}`, { w: 1160, h: 600 }],
  spiralOne: [`ports=spiral&w=420&h=620&options=${encodeURIComponent('{"one":true,"at":{"arm":3}}')}`, { w: 480, h: 660 }],
  cones: ["ports=cones&w=1100&h=560", { w: 1160, h: 600 }],
  curves: ["ports=curves,curve,fid,dce&viewer=curves&w=620&h=360", { w: 1300, h: 780 }],
  regionCurves: [
    `ports=dce&w=700&h=720&options=${encodeURIComponent('{"rois":[{"kind":"ellipse","x0":40,"y0":20,"x1":54,"y1":34},{"kind":"rect","x0":20,"y0":40,"x1":30,"y1":55}],"roiCurve":"t","maps":{"real":"inferno"},"at":{"t":30}}')}`,
    { w: 760, h: 760 },
  ],
  detail: [`ports=big&w=700&h=640&options=${encodeURIComponent('{"zoom":{"k":20,"cx":0.4,"cy":0.5}}')}`, { w: 760, h: 680 }],
  linked: ["ports=t1,smoothed,labels&w=420&h=420&linked=a", { w: 1330, h: 450 }, async (page) => {
    const b = await page.locator(".lmv-stage").first().boundingBox();
    await page.mouse.click(b.x + 120, b.y + 110);
    await page.mouse.move(b.x + 150, b.y + 160);
  }],
  status: [`ports=maps&w=560&h=480&theme=dark&options=${encodeURIComponent('{"show":"status"}')}`, { w: 620, h: 520 }],
  thumbs: ["thumbs=1&theme=dark", { w: 760, h: 260 }],
};

const wanted = process.argv.slice(2);
const out = process.env.SHOTS ?? new URL("shots/", import.meta.url).pathname;
mkdirSync(out, { recursive: true });
const { server, port } = await serve();
const browser = await launch();
for (const [name, [query, size, act]] of Object.entries(pages)) {
  if (wanted.length && !wanted.includes(name)) continue;
  const page = await browser.newPage({ viewport: { width: size.w, height: size.h } });
  page.on("console", (m) => m.type() === "error" && console.log(name, m.text()));
  page.on("pageerror", (e) => console.log(name, e.message));
  await page.goto(`http://127.0.0.1:${port}/?${query}`, { waitUntil: "networkidle" });
  await page.waitForFunction(() => !document.querySelector(".lmv-waiting")).catch(() => {});
  await page.waitForTimeout(/volume|all|dark/i.test(name) ? 4000 : 900);
  if (act) {
    await act(page);
    await page.waitForTimeout(500);
  }
  await page.screenshot({ path: `${out}/${name}.png` });
  await page.close();
}
await browser.close();
server.close();
