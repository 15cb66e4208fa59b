// SPDX-License-Identifier: Apache-2.0
import type { ServerEvent } from "./connection.ts";
import type { LogEntry } from "./types.ts";

const most = 2000;

function entry(e: ServerEvent): LogEntry {
  const time = typeof e.time === "number" ? new Date(e.time * 1000) : e.time ? new Date(String(e.time)) : new Date();
  return { seq: Number(e.seq ?? -1), level: String(e.level ?? "info"), text: String(e.text ?? ""), node: String(e.node ?? ""), time };
}
/** The log with what is new in it; the same one when nothing is. */
export function longer(log: LogEntry[], events: ServerEvent[]): LogEntry[] {
  const known = new Set(log.map((l) => l.seq));
  const added = events.filter((e) => !known.has(Number(e.seq ?? -1))).map(entry);
  return added.length ? [...log, ...added].slice(-most) : log;
}
