// SPDX-License-Identifier: Apache-2.0
import type { NodeReport, RunReport, State } from "./report.ts";

export interface Bar {
  path: string;
  lane: number;
  start: number;
  seconds: number;
  state: State;
}

/** Bars of a timeline, one lane for what runs at the same time, in the order of their starts. */
export function timeline(report: RunReport): { bars: Bar[]; lanes: number; end: number } {
  const worked = Object.values(report.nodes).filter((n) => (n.seconds ?? 0) > 0 && n.state !== "cached" && n.state !== "idle");
  worked.sort((a, b) => (a.started ?? 0) - (b.started ?? 0) || a.path.localeCompare(b.path));
  const ends: number[] = [];
  const bars: Bar[] = [];
  for (const n of worked) {
    const start = n.started ?? 0, seconds = n.seconds ?? 0;
    let lane = ends.findIndex((end) => end <= start + 1e-9);
    if (lane < 0) lane = ends.length;
    ends[lane] = start + seconds;
    bars.push({ path: n.path, lane, start, seconds, state: n.state });
  }
  return { bars, lanes: ends.length, end: Math.max(report.seconds, ...ends, 1e-6) };
}

export interface ProfileRow {
  path: string;
  op: string;
  state: State;
  seconds: number;
  share: number;
  mean: number;
  sd: number;
  peak: number;
  output: number;
  hits: number;
  rounds: number;
}

export function profileRows(report: RunReport): ProfileRow[] {
  const total = Object.values(report.nodes).reduce((s, n) => s + (n.seconds ?? 0), 0) || 1;
  return Object.values(report.nodes).map((n) => ({
    path: n.path,
    op: n.op ?? "",
    state: n.state,
    seconds: n.seconds ?? 0,
    share: (n.seconds ?? 0) / total,
    mean: n.mean_seconds ?? 0,
    sd: n.sd_seconds ?? 0,
    peak: n.peak_bytes ?? 0,
    output: n.output_bytes ?? 0,
    hits: n.cache_hits ?? 0,
    rounds: n.rounds ?? 0,
  }));
}

export interface Comparison {
  path: string;
  a?: NodeReport;
  b?: NodeReport;
  seconds: number;  // b - a
  bytes: number;
}
/** Node by node, what changed most first. */
export function compareRuns(a: RunReport, b: RunReport): Comparison[] {
  const paths = new Set([...Object.keys(a.nodes), ...Object.keys(b.nodes)]);
  return [...paths]
    .map((path) => {
      const x = a.nodes[path], y = b.nodes[path];
      return { path, a: x, b: y, seconds: (y?.seconds ?? 0) - (x?.seconds ?? 0), bytes: (y?.output_bytes ?? 0) - (x?.output_bytes ?? 0) };
    })
    .sort((p, q) => Math.abs(q.seconds) - Math.abs(p.seconds) || p.path.localeCompare(q.path));
}
