// SPDX-License-Identifier: Apache-2.0
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the sources against a running `larmor studio` (LARMOR_STUDIO names another address).
const studio = process.env.LARMOR_STUDIO ?? "http://127.0.0.1:8090";

export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/api": { target: studio, ws: true } } },
  build: { outDir: "../dist", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 700 },
});
