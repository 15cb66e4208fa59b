// SPDX-License-Identifier: Apache-2.0
import type { Api } from "@larmor/graph";

export interface ServerEvent {
  seq?: number;
  t: string;
  [key: string]: unknown;
}
export interface SocketLike {
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

/** The event stream of a graph. It comes back by itself, with growing pauses, from where it was. */
export class Connection {
  private socket: SocketLike | null = null;
  private seq: number | null = null;
  private attempts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pings: ReturnType<typeof setInterval> | undefined;
  private closed = false;

  constructor(
    private readonly api: Api,
    private readonly graph: string,
    private readonly client: string,
    private readonly on: { open(): void; event(e: ServerEvent): void; lost(): void },
    private readonly make: (url: string) => SocketLike = (url) => new WebSocket(url) as unknown as SocketLike,
  ) {
    this.connect();
  }

  private connect() {
    const query = new URLSearchParams({ graph: this.graph, client: this.client });
    if (this.seq !== null) query.set("since", String(this.seq));
    const address = new URL(this.api.url("/api/events?" + query.toString()), globalThis.location?.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = (this.socket = this.make(address.href));
    socket.onopen = () => {
      this.attempts = 0;
      clearInterval(this.pings);
      this.pings = setInterval(() => socket.send('{"t":"ping"}'), 20000);
      this.on.open();
    };
    socket.onmessage = (message) => {
      let e: ServerEvent;
      try {
        e = JSON.parse(String(message.data)) as ServerEvent;
      } catch {
        return;
      }
      if (typeof e.seq === "number") this.seq = e.seq;
      this.on.event(e);
    };
    socket.onclose = () => {
      clearInterval(this.pings);
      if (this.closed || this.socket !== socket) return;
      this.on.lost();
      this.timer = setTimeout(() => this.connect(), Math.min(8000, 250 * 2 ** this.attempts++));
    };
  }
  /** At once, because somebody asks for it. */
  retry() {
    clearTimeout(this.timer);
    this.socket?.close();
    this.attempts = 0;
    this.connect();
  }
  close() {
    this.closed = true;
    clearTimeout(this.timer);
    clearInterval(this.pings);
    this.socket?.close();
  }
}
