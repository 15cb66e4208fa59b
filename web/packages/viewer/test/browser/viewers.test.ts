// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, hasChromium, launch } from "../../dev/browser.mjs";
import { serve } from "../../dev/mock.mjs";

// A minute of clicking, so apart from the unit tests: npm run test:browser, which ctest calls web:viewers. LARMOR_CHROMIUM names another browser.
describe.skipIf(!hasChromium || !process.env["LARMOR_BROWSER"])(`the viewers, in ${chromiumPath}`, { timeout: 240_000 }, () => {
  let browser: Browser;
  let mock: Awaited<ReturnType<typeof serve>>;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "larmor-viewer-"));
    const config = fileURLToPath(new URL("../../dev/vite.config.ts", import.meta.url));
    await build({ configFile: config, logLevel: "silent", build: { outDir: folder, minify: false } });
    mock = await serve(0, folder);
    browser = await launch();
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    mock?.server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page with viewers; `asked` gives the requests since the last call. */
  async function open(query: Record<string, string>): Promise<{ page: Page; asked: () => URL[]; errors: string[] }> {
    const page = await browser.newPage({ viewport: { width: 900, height: 700 } });
    page.setDefaultTimeout(100_000);
    const errors: string[] = [];
    page.on("pageerror", (e) => errors.push(e.message));
    mock.requests.length = 0;
    await page.goto(`http://127.0.0.1:${mock.port}/?${new URLSearchParams({ w: "420", h: "460", ...query })}`, { waitUntil: "networkidle" });
    await page.waitForFunction(() => document.querySelectorAll(".cell, .row").length > 0 && !document.querySelector(".lmv-waiting"));
    return { page, errors, asked: () => mock.requests.splice(0).map((r) => new URL(r, "http://x")) };
  }
  const canvasAt = (page: Page, port: string, x: number, y: number) =>
    page.evaluate(
      ([name, u, v]) => {
        const c = document.querySelector<HTMLCanvasElement>(`[data-port="${name}"] canvas`)!;
        const ctx = c.getContext("2d")!;
        return Array.from(ctx.getImageData(Math.round((u as number) * c.width), Math.round((v as number) * c.height), 1, 1).data);
      },
      [port, x, y] as const,
    );
  const optionsOf = (page: Page, port: string) =>
    page.evaluate((name) => (window as unknown as Record<string, { at?: Record<string, number> } & Record<string, unknown>>)[`options_${name}`]!, port);
  const patient = { timeout: 60_000 };  // a machine that does ten things at once takes its time
  const drawn = (page: Page, port: string) => page.locator(`[data-port="${port}"] .lmv-stage[data-state="done"]`).waitFor();
  const stage = (page: Page, port: string) => page.locator(`[data-port="${port}"] .lmv-stage`);

  it("a 4-D array is shown by asking for one plane, never for the volume", async () => {
    const { page, asked } = await open({ ports: "complex4d" });
    const arrays = asked().filter((u) => u.pathname.endsWith("/array"));
    expect(arrays.length).toBeGreaterThan(0);
    for (const u of arrays) expect(u.searchParams.get("axes")).toBe("x,y");
    expect(arrays[0]!.searchParams.get("at")).toBe("z:6,t:0");
    await page.close();
  });

  it("a large plane is thinned, and what is zoomed into is fetched in full", async () => {
    const { page, asked } = await open({ ports: "big" });
    const first = asked().find((u) => u.pathname.endsWith("/array"))!;
    expect(Number(first.searchParams.get("max"))).toBeLessThanOrEqual(2048);
    const box = (await stage(page, "big").boundingBox())!;
    await page.mouse.move(box.x + 120, box.y + 150);
    await page.keyboard.down("Control");
    for (let k = 0; k < 6; ++k) await page.mouse.wheel(0, -200);
    await page.keyboard.up("Control");
    await expect.poll(() => asked().some((u) => u.pathname.endsWith("/array") && u.searchParams.has("range")), patient).toBe(true);
    await page.close();
  });

  it("complex colour shows the ring's colours at the angles of the array", async () => {
    const { page, errors } = await open({ ports: "wheel", options: JSON.stringify({ part: "colour", bar: false, windows: { colour: { mode: "manual", lo: 0, hi: 0.5 } } }) });
    // The array is x + iy: to the right 0 deg, up +90, left 180, down -90; the square picture is in the middle of the canvas.
    const canvas = (await page.locator("canvas").first().boundingBox())!;
    const half = Math.min(canvas.width, canvas.height) / 2;
    const at = (dx: number, dy: number) => canvasAt(page, "wheel", 0.5 + (0.8 * half * dx) / canvas.width, 0.5 + (0.8 * half * dy) / canvas.height);
    // Off the axis by up to a pixel of 1/51 of the radius: 1.1 deg, 4 levels of hue.
    const near = async (got: Promise<number[]>, want: number[]) => (await got).slice(0, 3).forEach((v, c) => expect(Math.abs(v - want[c]!)).toBeLessThan(12));
    await near(at(1, 0), [0, 255, 255]);
    await near(at(0, -1), [0, 255, 0]);
    await near(at(-1, 0), [255, 0, 0]);
    await near(at(0, 1), [255, 0, 255]);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("the right button changes the window, and the picture with it, without a request", async () => {
    const { page, asked } = await open({ ports: "t1" });
    const before = await page.locator(".cell canvas").first().screenshot();
    asked();
    const box = (await stage(page, "t1").boundingBox())!;
    await page.mouse.move(box.x + 150, box.y + 150);
    await page.mouse.down({ button: "right" });
    await page.mouse.move(box.x + 150, box.y + 60, { steps: 4 });
    await page.mouse.up({ button: "right" });
    await expect.poll(async () => (await optionsOf(page, "t1"))["windows"], patient).toMatchObject({ real: { mode: "manual" } });
    await expect.poll(async () => Buffer.compare(before, await page.locator(".cell canvas").first().screenshot()), patient).not.toBe(0);
    expect(asked().filter((u) => u.pathname.endsWith("/array"))).toEqual([]);
    await page.close();
  });

  it("the value under the pointer is the array's, with index and mm", async () => {
    // Without the colour bar, whose width follows its numbers, the picture lies in the middle of the stage.
    const { page } = await open({ ports: "holes", options: JSON.stringify({ bar: false }) });
    const box = (await stage(page, "holes").boundingBox())!;
    const size = Math.min(box.width, box.height);
    const to = (i: number, j: number) => [box.x + box.width / 2 + ((i + 0.5) / 64 - 0.5) * size, box.y + box.height / 2 + ((j + 0.5) / 64 - 0.5) * size] as const;
    await page.mouse.move(...to(40, 20));
    expect(await page.locator(".lmv-status").innerText()).toMatch(/^60\s+x 40\s+y 20/);
    await page.mouse.move(...to(24, 40));
    expect(await page.locator(".lmv-status").innerText()).toMatch(/^NaN\s/);
    await page.close();
  });

  it("linked viewers follow slice, click and window; others do not", async () => {
    const { page } = await open({ ports: "t1,smoothed", linked: "k" });
    await page.locator('[data-port="t1"] input[type=range]').first().fill("11");
    await expect.poll(() => page.locator('[data-port="smoothed"] input[type=range]').first().inputValue()).toBe("11");
    const box = (await stage(page, "t1").boundingBox())!;
    await page.mouse.move(box.x + 100, box.y + 200);
    // The other one says what it holds there.
    await expect.poll(() => page.locator('[data-port="smoothed"] .lmv-status').innerText()).toMatch(/x \d+/);
    expect(await page.locator('[data-port="smoothed"] .lmv-status').innerText()).toContain((await page.locator('[data-port="t1"] .lmv-status').innerText()).match(/x \d+\s+y \d+/)![0].replace(/\n/g, ""));
    await page.close();
    const alone = await open({ ports: "t1,smoothed" });
    await alone.page.locator('[data-port="t1"] input[type=range]').first().fill("11");
    expect(await alone.page.locator('[data-port="smoothed"] input[type=range]').first().inputValue()).toBe("32");
    await alone.page.close();
  });

  it("a region and a line are drawn by hand, measured, and removed by key", async () => {
    const { page } = await open({ ports: "t1" });
    const box = (await stage(page, "t1").boundingBox())!;
    const dragTo = async (key: string) => {
      await stage(page, "t1").press(key);
      await page.mouse.move(box.x + 120, box.y + 120);
      await page.mouse.down();
      await page.mouse.move(box.x + 190, box.y + 190, { steps: 3 });
      await page.mouse.up();
    };
    await dragTo("r");
    await page.waitForSelector(".lmv-rois tbody tr");
    await dragTo("l");
    await page.waitForSelector(".lmv-profile canvas");
    await expect.poll(async () => (await optionsOf(page, "t1"))["rois"], patient).toHaveLength(1);
    await expect.poll(async () => Number((await page.locator(".lmv-rois tbody td").nth(5).innerText()).trim()), patient).toBeGreaterThan(50);
    await stage(page, "t1").press("Escape");
    await stage(page, "t1").press("Delete");
    await stage(page, "t1").press("Delete");
    await expect.poll(() => page.locator(".lmv-results").count()).toBe(0);
    await page.close();
  });

  it("a new hash brings the new value, and only then is it asked for again", async () => {
    const { page, asked } = await open({ ports: "t1" });
    asked();
    await page.mouse.move(5, 5);
    expect(asked()).toEqual([]);
    await page.evaluate(() => fetch("/api/graphs/demo/touch?port=t1"));
    await page.evaluate(() => (window as unknown as Record<string, (h: string) => void>)["rehash_t1"]!("1"));
    const names: (string | undefined)[] = [];
    await expect.poll(() => (names.push(...asked().map((u) => u.pathname.split("/").pop())), names), patient).toEqual(expect.arrayContaining(["value", "array"]));
    await page.close();
  });

  it("scrolling fast stops requests that nobody waits for", async () => {
    const { page } = await open({ ports: "t1" });
    let stopped = 0;
    page.on("requestfailed", (r) => (stopped += r.url().includes("/array") ? 1 : 0));
    await page.route("**/array?*", async (route) => {
      await new Promise((r) => setTimeout(r, 300));
      await route.continue().catch(() => {});
    });
    await stage(page, "t1").focus();
    for (let k = 0; k < 12; ++k) await page.keyboard.press("ArrowUp");
    await expect.poll(() => stopped, patient).toBeGreaterThan(3);
    await expect.poll(() => page.locator('input[type=range]').first().inputValue(), patient).toBe("44");
    await page.close();
  });

  it("cine goes round and says how fast", async () => {
    const { page, errors } = await open({ ports: "cine", options: JSON.stringify({ part: "colour", cine: { fps: 30 } }) });
    const slider = page.locator("input[type=range]").first();
    await drawn(page, "cine");
    await stage(page, "cine").press(" ");
    // Once around: all frames are there.
    await page.waitForFunction(() => {
      const input = document.querySelector<HTMLInputElement>("input[type=range]")!;
      const seen = ((window as unknown as { seen?: Set<string> }).seen ??= new Set()).add(input.value);
      return seen.size > Number(input.max) - Number(input.min);
    }, undefined, { polling: "raf", timeout: 60_000 });
    const seen = await page.evaluate(async () => {
      const input = document.querySelector<HTMLInputElement>("input[type=range]")!;
      const values: string[] = [];
      const begin = performance.now();
      while (performance.now() - begin < 2000) {
        if (values[values.length - 1] !== input.value) values.push(input.value);
        await new Promise((r) => requestAnimationFrame(r));
      }
      return values.length / 2;
    });
    console.log(`      ${seen.toFixed(0)} frames a second of 256 x 256 c64, all on a CPU shared with others`);
    expect(seen).toBeGreaterThan(5);
    await stage(page, "cine").press(" ");
    const at = await slider.inputValue();
    await page.evaluate(() => new Promise((done) => setTimeout(done, 500))); // as long as 15 frames would take
    expect(await slider.inputValue()).toBe(at);
    expect((await optionsOf(page, "cine")).at).toMatchObject({ t: Number(at) });
    expect(errors).toEqual([]);
    await page.close();
  });

  it("every viewer comes up without an error", async () => {
    const { page, errors } = await open({ ports: "curve,aif,fid,scene,table,text,markdown,json,number,flag,snr,report,picture,list,holes,maps,vector", w: "280", h: "240" });
    // Viewers are loaded when first needed: the heaviest of them draws last.
    await page.locator('[data-port="scene"] canvas').first().waitFor();
    await page.locator('[data-port="markdown"] h1').waitFor();
    await page.locator('[data-port="curve"] canvas').first().waitFor();
    expect(await page.locator('.lmv-message[role="alert"]').allInnerTexts()).toEqual([]);
    expect(await page.locator('[data-port="number"] output').innerText()).toBe("0.0123456");
    expect(await page.locator('[data-port="table"]').innerText()).toContain("5,000 rows");
    expect(await page.locator('[data-port="markdown"] h1').innerText()).toBe("Fit report");
    expect(await page.title()).toBe("Viewers of values"); // the report's script did not run
    expect(await page.locator('[data-port="report"] iframe').getAttribute("sandbox")).toBe("");
    expect(errors).toEqual([]);
    await page.close();
  });

  it("a volume is given to NiiVue with its overlay", async () => {
    const { page, errors } = await open({ ports: "t1", viewer: "volume", options: JSON.stringify({ overlay: { port: "labels" } }) });
    // Not an empty picture, once the volume has come.
    await expect.poll(async () => (await page.locator(".lmv-canvas-box canvas").screenshot()).length, { timeout: 30_000 }).toBeGreaterThan(5000);
    expect(await page.locator('.lmv-message[role="alert"]').count()).toBe(0);
    expect(errors).toEqual([]);
    await page.close();
  });

  it("what is not there, or does not fit, is said", async () => {
    const { page } = await open({ ports: "nowhere" });
    expect(await page.locator('[role="alert"]').innerText()).toMatch(/no port called 'nowhere'[\s\S]*run the node first/);
    await page.close();
    const wrong = await open({ ports: "text", viewer: "volume" });
    expect(await wrong.page.locator('[role="alert"]').innerText()).toMatch(/no viewer called 'volume' fits; these do: text/);
    await wrong.page.close();
  });

  it("thumbnails are drawn when seen, small ones by small requests", async () => {
    const { page, asked } = await open({ ports: "complex2d,t1,curve,number,text,picture,maps", thumbs: "1" });
    await page.waitForFunction(() => [...document.querySelectorAll<HTMLElement>(".lmv-thumbnail")].every((c) => c.dataset["state"] === "done"));
    for (const u of asked().filter((r) => r.pathname.endsWith("/array") && r.searchParams.get("axes") === "x,y")) {
      expect(Number(u.searchParams.get("max"))).toBeLessThanOrEqual(256);
    }
    const coloured = await page.evaluate(() => {
      const c = document.querySelector<HTMLCanvasElement>(".lmv-thumbnail")!;
      const d = c.getContext("2d")!.getImageData(0, 0, c.width, c.height).data;
      let n = 0;
      for (let i = 0; i < d.length; i += 4) if (Math.max(d[i]!, d[i + 1]!, d[i + 2]!) - Math.min(d[i]!, d[i + 1]!, d[i + 2]!) > 60) ++n;
      return n;
    });
    expect(coloured).toBeGreaterThan(50); // complex values in complex colour
    await page.close();
  });
});
