// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["packages/*/src/**/*.test.ts", "packages/*/test/**/*.test.ts", "app/{src,dev,test}/**/*.test.{ts,tsx}"] },
});
