// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  // The limits end what hangs: a machine that builds and tests much at once takes its time.
  test: { testTimeout: 120_000, hookTimeout: 120_000, include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "app/{src,dev,test}/**/*.test.{ts,tsx}"] },
});
