// SPDX-License-Identifier: Apache-2.0
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { mockStudio } from "./dev/mock/plugin.ts";

// `npm run dev` shows the sources against a running `larmor studio` (LARMOR_STUDIO names another address).
const studio = process.env.LARMOR_STUDIO ?? "http://127.0.0.1:8090";

/** Every browser that runs Studio reads woff2: the older forms of KaTeX's fonts would only make the program larger. */
const onlyWoff2: Plugin = {
  name: "only-woff2",
  enforce: "pre",
  transform: (code, id) => (/katex.*\.css/.test(id) ? code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("(?:woff|truetype)"\)/g, "") : undefined),
};
const mock = !!process.env.LARMOR_MOCK;
// The server answers only its own page, so the page's origin is given as its own.
const proxy = mock ? undefined : { "/api": { target: studio, ws: true, changeOrigin: true, headers: { origin: studio } } };

export default defineConfig({
  plugins: [onlyWoff2, react(), ...(mock ? [mockStudio()] : [])],
  server: { proxy },
  preview: { proxy },
  // NiiVue's reader of Zarr stores, which no viewer uses, would be a third of the bundle.
  resolve: { alias: { zarrita: fileURLToPath(new URL("../packages/viewer/src/volume/noZarr.ts", import.meta.url)) } },
  build: { outDir: "../dist", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 1000 },
});
