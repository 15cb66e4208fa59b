// SPDX-License-Identifier: Apache-2.0
import type { Probe } from "./types.ts";

let made = 0;

/** The viewers with one of a port; an unpinned one makes room for the next. */
export function opened(probes: Probe[], port: string, pinned: boolean): Probe[] {
  const old = probes.find((p) => p.port === port);
  if (old) return probes.map((p) => (p === old ? { ...p, pinned: p.pinned || pinned } : p));
  const probe: Probe = { key: `p${++made}`, port, options: {}, pinned };
  const loose = probes.findIndex((p) => !p.pinned);
  return loose < 0 || pinned ? [...probes, probe] : probes.map((p, i) => (i === loose ? probe : p));
}
export const changed = (probes: Probe[], key: string, what: Partial<Probe>) => probes.map((p) => (p.key === key ? { ...p, ...what } : p));
export const closed = (probes: Probe[], key: string) => probes.filter((p) => p.key !== key);
