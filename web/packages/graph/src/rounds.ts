// SPDX-License-Identifier: Apache-2.0
import { type GraphDoc, splitPort } from "./document.ts";
import { enter, type Library, topLevel } from "./level.ts";

/** The outermost loop around a port (or whose own port it is) that keeps its history; null when there is none. */
export function historyZone(doc: GraphDoc, port: string, library?: Library): string | null {
  const ids = splitPort(port)[0].split("/");
  let level = topLevel(doc, library);
  for (let n = 0; n < ids.length; n++) {
    const node = level.graph.nodes?.[ids[n]!];
    if (node?.loop?.history) return ids.slice(0, n + 1).join("/");
    const next = enter(level, ids[n]!);
    if (!next) return null;
    level = next;
  }
  return null;
}

/** How the engine names a port at a round of such a loop: "loop@3/blur.out", "loop.out@3". */
export function atRound(port: string, zone: string, round: number): string {
  return port.startsWith(zone + "/") ? `${zone}@${round}${port.slice(zone.length)}` : `${port}@${round}`;
}
/** The port without its rounds. */
export const withoutRounds = (port: string) => port.replace(/@\d+/g, "");
