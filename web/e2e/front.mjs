// SPDX-License-Identifier: Apache-2.0
// The built client before a program that has none, or an older one: LARMOR_DIST names the folder of the client.
// LARMOR_EVENTS makes events that many milliseconds late; without LARMOR_DIST the client is that of the program.
import { existsSync, readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { extname, join, normalize } from "node:path";

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".wasm": "application/wasm" };

/** Serves files of `dist`, if given, and hands everything else on to the program at `port`; events are `late` milliseconds late. */
export function front(dist, port, late = 0) {
  const headers = (h) => ({ ...h, host: `127.0.0.1:${port}`, ...(h.origin ? { origin: `http://127.0.0.1:${port}` } : {}) });
  const server = createServer((req, res) => {
    if (!dist || req.url.startsWith("/api")) {
      const on = request({ port, host: "127.0.0.1", path: req.url, method: req.method, headers: headers(req.headers) }, (answer) => {
        res.writeHead(answer.statusCode, answer.headers);
        answer.pipe(res);
      });
      on.on("error", () => res.destroy());
      return void req.pipe(on);
    }
    const path = decodeURIComponent(req.url.split("?")[0]);
    const file = normalize(join(dist, path));
    const found = file.startsWith(dist) && extname(file) && existsSync(file) ? file : join(dist, "index.html");
    res.writeHead(200, { "Content-Type": types[extname(found)] ?? "application/octet-stream" });
    res.end(readFileSync(found));
  });
  server.on("upgrade", (req, socket, head) => {
    const on = connect(port, "127.0.0.1", () => {
      const lines = Object.entries(headers(req.headers)).map(([k, v]) => `${k}: ${v}`);
      on.write(`${req.method} ${req.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      on.write(head);
      if (late) on.on("data", (bytes) => setTimeout(() => socket.writable && socket.write(bytes), late));
      else on.pipe(socket);
      socket.pipe(on);
    });
    const end = () => (on.destroy(), socket.destroy());
    for (const end_ of [on, socket]) for (const what of ["error", "close"]) end_.on(what, end);
  });
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done({ port: server.address().port, close: () => (server.closeAllConnections(), server.close()) })));
}
