// SPDX-License-Identifier: Apache-2.0
import type { Plugin } from "vite";
import { answer, events } from "./http.ts";
import { MockStudio } from "./studio.ts";

/** Puts the stand-in server under Vite's own, for `npm run mock` and for previews of the built client. */
export function mockStudio(): Plugin {
  const studio = new MockStudio(Number(process.env.LARMOR_MOCK_PACE ?? 1));
  const attach = (server: { middlewares: { use: (f: (req: never, res: never, next: () => void) => void) => void }; httpServer: unknown }) => {
    server.middlewares.use((request, response, next) => void answer(studio, request, response).then((mine) => mine || next()));
    if (server.httpServer) events(studio, server.httpServer as Parameters<typeof events>[1]);
  };
  return { name: "larmor-mock", configureServer: (s) => attach(s as never), configurePreviewServer: (s) => attach(s as never) };
}
