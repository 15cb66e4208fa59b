// SPDX-License-Identifier: Apache-2.0
// A Chromium for pictures and measurements, and the built client with the stand-in server behind it.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { preview } from "vite";

export const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const launch = (options = {}) =>
  chromium.launchPersistentContext(mkdtempSync(join(tmpdir(), "larmor-")), {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: flags,
    viewport: { width: 1440, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });

/** The address of the built client, before the stand-in server or, with LARMOR_STUDIO, a running `larmor studio`. */
export async function serve() {
  if (!process.env.LARMOR_STUDIO) process.env.LARMOR_MOCK = "1";
  process.env.LARMOR_MOCK_PACE ??= "0.15";
  const root = new URL("..", import.meta.url).pathname;
  const server = await preview({ root, configFile: join(root, "vite.config.ts"), preview: { port: 0, host: "127.0.0.1" }, logLevel: "error" });
  const address = server.httpServer.address();
  return { url: `http://127.0.0.1:${address.port}`, close: () => new Promise((done) => (server.httpServer.close(done), server.httpServer.closeAllConnections?.())) };
}
