// SPDX-License-Identifier: Apache-2.0
import { type Api, httpApi } from "@larmor/graph";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocket } from "ws";
import { answer, events } from "../dev/mock/http.ts";
import { MockStudio } from "../dev/mock/studio.ts";
import { type Message } from "../src/errors.ts";
import type { SocketLike } from "../src/state/connection.ts";
import { Session } from "../src/state/session.ts";

/** The stand-in server on a port of its own, and sessions on it as a browser would have them. */
export async function studio() {
  const mock = new MockStudio(0);
  const server = createServer((request, response) => void answer(mock, request, response));
  events(mock, server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sockets: WebSocket[] = [];
  const sessions: Session[] = [];
  const open = async (id: string, client: string, api: Api = httpApi(base)) => {
    const told: Message[] = [];
    const session = await Session.open(api, id, client, (m) => told.push(m));
    session.connect((url) => {
      const socket = new WebSocket(url);
      sockets.push(socket);
      socket.on("error", () => undefined);  // a close follows
      return socket as unknown as SocketLike;
    });
    sessions.push(session);
    await until(() => session.ready);
    return { session, told };
  };
  return {
    mock, base, open, sockets,
    close: async () => {
      sessions.forEach((s) => s.leave());
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

export async function until(true_: () => boolean, ms = 60_000) {
  const end = Date.now() + ms;
  while (!true_()) {
    if (Date.now() > end) throw new Error("waited in vain for " + true_.toString());
    await new Promise((r) => setTimeout(r, 5));
  }
}
