// SPDX-License-Identifier: Apache-2.0
// node dev/shots.mjs [light|dark]: goes through Studio by hand and takes a picture of each part into dev/shots (the client must be built).
import { mkdirSync } from "node:fs";
import { launch, serve } from "./browser.mjs";

const { url, close } = await serve();
const theme = process.argv[2] ?? "light";
const ctx = await launch({colorScheme: theme});
const page = await ctx.newPage();
page.setDefaultTimeout(5000); page.on("console", m => (m.type()==="error"||m.type()==="warning") && !m.text().includes("GPU stall") && console.log("console", m.text().slice(0, 300)));
page.on("pageerror", e => console.log("pageerror", e.message, e.stack?.slice(0,500)));
const out = process.env.SHOTS ?? new URL("shots/", import.meta.url).pathname;
mkdirSync(out, { recursive: true });
let failed = 0;
const shot = (n) => page.screenshot({ path: `${out}/${theme}-${n}.png` });
const tid = (t) => page.locator(`[data-testid="${t}"]`);
const step = async (name, f) => { try { await f(); console.log("ok", name); } catch (e) { failed++; console.log("FAIL", name, e.message.split("\n").slice(0,3).join(" | ")); await shot("fail-"+name.replace(/\W/g,"_")); } };
await page.goto(url);
await tid("canvas").waitFor();
const center = async (l) => { const b = await l.boundingBox(); return [b.x+b.width/2, b.y+b.height/2]; };
const port = (n,s,p) => page.locator(`[data-testid="port-${n}-${s}-${p}"] .react-flow__handle`);
const drag = async (a, b, steps=12, hold) => { await page.mouse.move(...a); await page.mouse.down(); await page.mouse.move(a[0]+5,a[1]+3); for (let i=1;i<=steps;i++) await page.mouse.move(a[0]+(b[0]-a[0])*i/steps, a[1]+(b[1]-a[1])*i/steps); if (hold) await hold(); await page.mouse.up(); await page.waitForTimeout(150); };
await step("drop from palette", async () => {
  await tid("palette-sim.shepp_logan").dragTo(tid("canvas"), {targetPosition:{x:120,y:150}});
  await tid("node-shepp_logan").waitFor({timeout:3000});
  await tid("palette-filter.threshold").dragTo(tid("canvas"), {targetPosition:{x:560,y:150}});
  await tid("node-threshold").waitFor({timeout:3000});
});
await step("connect", async () => {
  await drag(await center(port("shepp_logan","out","image")), await center(port("threshold","in","in")), 14, async()=>{});
  await tid("wire-threshold.in").waitFor({state:"attached",timeout:2000});
});
await step("hold shows compat", async () => {
  await tid("palette-source.text").dragTo(tid("canvas"), {targetPosition:{x:120,y:480}});
  const t = await center(port("threshold","in","in"));
  await drag(await center(port("text","out","text")), [t[0]+2,t[1]], 10, async()=>{ await page.waitForTimeout(400); await shot("hold"); });
  if (await tid("wire-threshold.in").count() !== 1) throw new Error("wire lost");
});
await step("wire into void", async () => {
  await drag(await center(port("threshold","out","mask")), [900,620]);
  await tid("quick-add").waitFor({timeout:2000}); await page.keyboard.type("roi"); await page.waitForTimeout(200); await shot("quickadd");
  await page.keyboard.press("Enter"); await tid("node-roi").waitFor({timeout:2000});
  await tid("wire-roi.mask").waitFor({state:"attached",timeout:2000});
});
await step("drop node on wire", async () => {
  const a = await center(port("shepp_logan","out","image")), b = await center(port("threshold","in","in"));
  const c = await tid("canvas").boundingBox();
  await tid("palette-filter.gaussian").dragTo(tid("canvas"), {targetPosition:{x:(a[0]+b[0])/2-c.x,y:(a[1]+b[1])/2-c.y}});
  await page.waitForTimeout(400);
  if (await tid("wire-gaussian.in").count()!==1) throw new Error("not inserted");
});
await step("undo redo", async () => {
  await page.keyboard.press("Control+z"); await page.waitForTimeout(300);
  if (await tid("node-gaussian").count()) throw new Error("still there");
  await page.keyboard.press("Control+y"); await page.waitForTimeout(300);
  await tid("node-gaussian").waitFor({timeout:2000});
});
await step("drag existing node onto wire", async () => {
  await tid("palette-my.despeckle").dragTo(tid("canvas"), {targetPosition:{x:420,y:520}});
  await tid("node-despeckle").waitFor({timeout:2000}); await page.keyboard.press("Escape");
  const h = await center(page.locator('[data-testid="node-despeckle"] .node-head'));
  const a = await center(port("gaussian","out","out")), b = await center(port("threshold","in","in"));
  await drag(h, [(a[0]+b[0])/2, (a[1]+b[1])/2-20], 14, async()=>{ await page.waitForTimeout(100); await shot("onwire"); });
  await page.waitForTimeout(300);
  console.log("   inserted:", await tid("wire-despeckle.in").count());
});
await step("layout", async () => { await page.keyboard.press("Escape"); await tid("canvas").click({position:{x:30,y:400}}); await page.keyboard.press("l"); await page.waitForTimeout(1500); await shot("layout"); });
await step("probe", async () => { await port("threshold","out","mask").click(); await tid("dock").waitFor(); await page.waitForTimeout(2500); await shot("probe"); });
await step("slider", async () => {
  await page.locator('[data-testid="node-threshold"] .node-head').click();
  const s = tid("slider-value"); const b = await s.boundingBox();
  await drag([b.x+b.width*0.2,b.y+b.height/2],[b.x+b.width*0.7,b.y+b.height/2],20);
  await page.waitForTimeout(1500); await shot("slider");
});
await step("error", async () => {
  await page.locator('[data-testid="node-despeckle"] .node-head').click(); await tid("setting-fail").click(); await page.waitForTimeout(2500);
  await tid("dock-problems").click(); await page.waitForTimeout(400); await shot("error");
  await tid("problem-despeckle").first().click();
});
await step("log/profiler", async () => { await tid("dock-log").click(); await page.waitForTimeout(300); await shot("log"); await tid("dock-profiler").click(); await page.waitForTimeout(1200); await shot("profiler");
  const opts = await tid("profiler-compare").locator("option").count(); if (opts>1) { await tid("profiler-compare").selectOption({index:1}); await page.waitForTimeout(700); await shot("compare"); } });
await step("group", async () => {
  await tid("canvas").click({position:{x:20,y:20}});
  await page.locator('[data-testid="node-gaussian"] .node-head').click(); await page.keyboard.down("Control"); await page.locator('[data-testid="node-despeckle"] .node-head').click(); await page.keyboard.up("Control");
  await shot("multi");
  await page.keyboard.press("Control+g"); await tid("ask-field").fill("Clean up"); await tid("ask-ok").click(); await page.waitForTimeout(700);
  await shot("grouped"); await page.keyboard.press("Enter"); await tid("breadcrumb").waitFor({timeout:2000}); await page.waitForTimeout(700); await shot("inside");
  await page.keyboard.press("Control+ArrowUp"); await page.waitForTimeout(500);
  await page.locator('[data-testid="node-Clean_up"] .node-head').click(); await tid("inspector").waitFor(); await page.locator('summary:has-text("Loop")').click(); await tid("loop-kind").selectOption("repeat"); await page.waitForTimeout(500); await shot("zone");
});
await step("copy paste", async () => { await page.locator('[data-testid="node-roi"] .node-head').click(); await page.keyboard.press("Control+c"); await tid("canvas").hover({position:{x:400,y:330}}); await page.keyboard.press("Control+Shift+v"); await page.waitForTimeout(500); if (await tid("node-roi_2").count()!==1) throw new Error("no paste"); if (await tid("wire-roi_2.mask").count()!==1) throw new Error("no upstream wire"); });
await step("duplicate+delete", async () => { await page.keyboard.press("Control+d"); await page.waitForTimeout(400); await tid("node-roi_3").waitFor({timeout:2000}); await page.keyboard.press("Delete"); await page.waitForTimeout(300); if (await tid("node-roi_3").count()) throw new Error("not deleted"); });
await step("shortcuts", async () => { await page.keyboard.press("?"); await tid("shortcuts").waitFor({timeout:2000}); await shot("shortcuts"); await page.keyboard.press("Escape"); });
await step("find", async () => { await page.keyboard.press("Control+f"); await tid("find").waitFor({timeout:2000}); await page.keyboard.type("gau"); await page.waitForTimeout(200); await shot("find"); await page.keyboard.press("Enter"); await page.waitForTimeout(700); if (!(await tid("breadcrumb").count())) throw new Error("did not enter"); await page.keyboard.press("Control+ArrowUp"); });
await step("files", async () => { await page.keyboard.press("Control+o"); await tid("file-dialog").waitFor({timeout:2000}); await page.waitForTimeout(500); await shot("files"); await page.keyboard.press("Escape"); });
await step("examples + dashboard", async () => { await tid("examples-menu").click(); await page.waitForTimeout(200); await shot("menu"); await tid("example-dce").click(); await tid("node-fit").waitFor({timeout:5000}); await page.waitForTimeout(2500); await page.keyboard.press("Control+j"); await shot("dce"); await tid("page-main").click(); await page.waitForTimeout(3000); await shot("dashboard"); await tid("edit-dashboard").click(); await page.waitForTimeout(500); await shot("dashboard-edit");
  await tid("thing-fit.ve").dragTo(tid("board"), {targetPosition:{x:60,y:300}}); await page.waitForTimeout(1500); await shot("dashboard-drop"); });
await step("alone", async () => { const id = await page.evaluate(()=>location.hash.split("/").pop()); const p2 = await ctx.newPage(); await p2.goto(`${url}/d/${id}/main`); await p2.waitForTimeout(3500); await p2.screenshot({ path: `${out}/${theme}-alone.png` }); await p2.close(); });
await step("sync", async () => { const id = await page.evaluate(()=>location.hash.split("/").pop()); const p2 = await ctx.newPage(); await p2.goto(`${url}/#/g/${id}`); await p2.locator('[data-testid="node-fit"]').waitFor(); await p2.locator('[data-testid="node-fit"] .node-head').click(); await p2.keyboard.press("Delete"); await p2.waitForTimeout(500); await tid("page-canvas").click(); await page.waitForTimeout(700); if (await tid("node-fit").count()) throw new Error("not in step"); await p2.close(); });
await ctx.close(); await close(); process.exit(failed ? 1 : 0);
