// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chromiumPath, hasChromium, launch } from "../../dev/browser.mjs";
import type { Ask } from "./entry.ts";

declare const Shader: typeof import("./entry.ts");
const grey = { part: "real", map: "grey", window: { lo: 0, hi: 1 }, gamma: 1 } as const;
const colour = { ...grey, part: "colour" } as const;

// Skipped, not passed, where there is no browser (LARMOR_CHROMIUM names another than /usr/bin/chromium), and with the unit tests: npm run test:browser.
describe.skipIf(!hasChromium || !process.env["LARMOR_BROWSER"])(`the shader, in ${chromiumPath}`, { timeout: 240_000 }, () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    const made = await build({
      configFile: false,
      logLevel: "silent",
      build: { write: false, minify: false, lib: { entry: fileURLToPath(new URL("entry.ts", import.meta.url)), formats: ["iife"], name: "Shader" } },
    });
    const output = (Array.isArray(made) ? made[0]! : made) as { output: { code: string }[] };
    browser = await launch();
    page = await browser.newPage();
    // As a module's top level would not be global, and `var Shader = ...` is.
    await page.addScriptTag({ content: output.output[0]!.code });
  }, 240_000);
  afterAll(async () => browser?.close());

  const draw = (ask: Ask) => {
    const text = (list: number[] | undefined) => list?.map((v) => (Number.isFinite(v) ? v : (String(v) as unknown as number)));
    return page.evaluate((q) => Shader.draw(q), { ...ask, a: text(ask.a)!, b: text(ask.b) });
  };
  const pixels = (rgba: number[]) => Array.from({ length: rgba.length / 4 }, (_, k) => rgba.slice(4 * k, 4 * k + 3));

  it("shows 0, +90, 180 and -90 degrees in cyan, green, red and magenta", async () => {
    const { shader } = await draw({ a: [1, 0, 0, 1, -1, 0, 0, -1], width: 4, complex: true, look: colour });
    expect(pixels(shader)).toEqual([[0, 255, 255], [0, 255, 0], [255, 0, 0], [255, 0, 255]]);
  });

  it("is bright in proportion to the magnitude", async () => {
    const steps = [0, 0.25, 0.5, 0.75, 1, 2];
    const { shader } = await draw({ a: steps.flatMap((m) => [0, m]), width: steps.length, complex: true, look: colour });
    pixels(shader).forEach(([r, g, b], k) => {
      // 8 bits: half a level, and half a level more for the way through the canvas.
      expect(Math.abs(g! - 255 * Math.min(1, steps[k]!))).toBeLessThanOrEqual(1);
      expect([r, b]).toEqual([0, 0]);
    });
  });

  it("agrees with the same sums on the CPU for every part, map and gamma", async () => {
    const a = Array.from({ length: 2 * 64 }, (_, i) => 1.4 * Math.sin(12.9898 * i + 1));
    for (const part of ["real", "imag", "abs", "phase", "colour"] as const) {
      for (const [map, gamma] of [["grey", 1], ["viridis", 0.5], ["coolwarm", 2], ["phase", 1]] as const) {
        const look = { part, map, gamma, window: part === "phase" ? { lo: -Math.PI, hi: Math.PI } : { lo: -0.3, hi: 1.2 } };
        const { shader, cpu } = await draw({ a, width: 8, complex: true, look });
        // Neighbouring table entries of the steepest map differ by 6 levels; a rounding of float32 may pick either.
        shader.forEach((v, k) => expect(Math.abs(v - cpu[k]!)).toBeLessThanOrEqual(part === "colour" ? 1 : 6));
      }
    }
  });

  it("marks NaN apart from every grey, also beside numbers when smoothed, and clips infinities", async () => {
    for (const smooth of [false, true]) {
      const { shader } = await draw({ a: [0, NaN, 1, Infinity, -Infinity, 0.5], width: 6, complex: false, look: grey, smooth });
      const [zero, nan, one, high, low] = pixels(shader);
      expect([zero, one, high, low]).toEqual([[0, 0, 0], [255, 255, 255], [255, 255, 255], [0, 0, 0]]);
      expect(nan![2]! - nan![0]!).toBeGreaterThan(3); // bluish
    }
  });

  it("puts the first row at the top, and flips when told", async () => {
    const a = [0, 0.2, 0.4, 0.6];
    const row = async (change: Partial<Ask>) => pixels((await draw({ a, width: 2, complex: false, look: grey, ...change })).shader).map((p) => p[0]!);
    expect(await row({})).toEqual([0, 51, 102, 153]);
    expect(await row({ flipH: true })).toEqual([51, 0, 153, 102]);
    expect(await row({ flipV: true })).toEqual([102, 153, 0, 51]);
  });

  it("interpolates the complex number, so that a phase has no seam", async () => {
    // From 170 to -170 degrees: on the way lies 180 (red), not 0 (cyan).
    const at = (deg: number) => [Math.cos((deg * Math.PI) / 180), Math.sin((deg * Math.PI) / 180)];
    const { shader } = await draw({ a: [...at(170), ...at(-170)], width: 2, complex: true, look: colour, smooth: true, zoom: 16 });
    for (const [r, g, b] of pixels(shader)) {
      expect(r).toBeGreaterThan(200);
      expect(Math.max(g!, b!)).toBeLessThan(80);
    }
  });

  it("wipes, subtracts and lays over", async () => {
    const base = { a: [0.2, 0.2, 0.2, 0.2], b: [0.6, 0.6, 0.6, 0.6], width: 4, complex: false, look: grey };
    expect(pixels((await draw({ ...base, mode: "wipe", wipe: 0.5 })).shader).map((p) => p[0])).toEqual([51, 51, 153, 153]);
    const lookB = { ...grey, window: { lo: -1, hi: 1 } };
    const difference = pixels((await draw({ ...base, mode: "difference", lookB })).shader).map((p) => p[0]!);
    difference.forEach((v) => expect(Math.abs(v - 255 * 0.3)).toBeLessThanOrEqual(1)); // -0.4 in -1 .. 1
    const labels = { ...grey, map: "labels" as const, window: { lo: 0, hi: 255 } };
    const over = pixels((await draw({ ...base, b: [0, 1, 2, NaN], mode: "overlay", opacity: 1, lookB: labels })).shader);
    expect(over[0]).toEqual([51, 51, 51]);
    expect(over[1]).toEqual([230, 153, 0]);
    expect(over[3]).toEqual([51, 51, 51]);
    expect(over[2]).not.toEqual(over[1]);
  });

  it("phase differences are wrapped", async () => {
    const look = { ...grey, part: "phase" as const, map: "phase" as const, window: { lo: -Math.PI, hi: Math.PI } };
    const at = (deg: number) => [Math.cos((deg * Math.PI) / 180), Math.sin((deg * Math.PI) / 180)];
    // 170 - (-100) = 270, which is -90: magenta.
    const { shader } = await draw({ a: at(170), b: at(-100), width: 1, complex: true, look, lookB: look, mode: "difference" });
    const [r, g, b] = pixels(shader)[0]!;
    expect(Math.max(255 - r!, g!, 255 - b!)).toBeLessThanOrEqual(6);
  });

  it("draws the same without a shader where WebGL itself runs on the CPU", async () => {
    const a = Array.from({ length: 2 * 64 }, (_, i) => 1.4 * Math.sin(12.9898 * i + 1));
    for (const part of ["real", "imag", "abs", "phase", "colour"] as const) {
      for (const flips of [{}, { flipH: true }, { flipV: true }]) {
        const ask: Ask = { a, width: 8, complex: true, look: { part, map: "viridis", gamma: 0.7, window: { lo: -0.3, hi: 1.2 } }, zoom: 3, ...flips };
        const { shader } = await draw(ask);
        const { shader: software } = await draw({ ...ask, software: true });
        shader.forEach((v, k) => expect(Math.abs(v - software[k]!)).toBeLessThanOrEqual(6)); // as above: a neighbouring entry of the table
      }
    }
    const holes: Ask = { a: [0, NaN, 1, 0.5], width: 4, complex: false, look: grey, software: true };
    const [zero, nan, one] = pixels((await draw(holes)).shader);
    expect([zero, one]).toEqual([[0, 0, 0], [255, 255, 255]]);
    expect(nan![2]! - nan![0]!).toBeGreaterThan(3);
  });

  it("shows 256 x 256 complex planes fast enough for cine", async () => {
    // The least of many: other work on the machine only adds to it.
    const shader = await page.evaluate(() => Shader.time(256, 40));
    const ms = await page.evaluate(() => Shader.time(256, 40, true));
    console.log(`      ${ms.toFixed(1)} ms for a frame of 256 x 256 c64 on 512 x 512 pixels with its transfer, on the CPU (${shader.toFixed(1)} ms by the shader there)`);
    expect(ms).toBeLessThan(33); // 30 frames a second
  });
});
