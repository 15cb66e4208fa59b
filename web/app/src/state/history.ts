// SPDX-License-Identifier: Apache-2.0
// What happened to a graph before this page came. It is only told: where it cannot be had, new events tell what follows.
import type { Api, RunReport, RunSummary } from "@larmor/graph";
import type { ServerEvent } from "./connection.ts";
import type { RunState } from "./types.ts";

export async function logOf(api: Api, id: string): Promise<ServerEvent[]> {
  try {
    const answer = await api.json<ServerEvent[] | { entries?: ServerEvent[]; log?: ServerEvent[] }>(`/api/graphs/${id}/log`);
    return Array.isArray(answer) ? answer : (answer.entries ?? answer.log ?? []);
  } catch {
    return [];
  }
}
/** How the last run ended, and the bytes that it left in memory; null while one goes on, and without any. */
export async function lastRun(api: Api, id: string): Promise<{ run: RunState; resident: number } | null> {
  try {
    const answer = await api.json<RunSummary[] | { runs: RunSummary[] }>(`/api/graphs/${id}/runs`);
    const last = (Array.isArray(answer) ? answer : answer.runs).reduce<RunSummary | null>((a, b) => (a && a.run > b.run ? a : b), null);
    if (!last || last.state === "running") return null;
    const report = await api.json<RunReport>(`/api/graphs/${id}/runs/${last.run}`);
    return {
      run: { run: last.run, state: report.state, seconds: report.seconds, ran: report.ran ?? 0, cached: report.cached ?? 0, failed: report.failed ?? 0, since: performance.now() },
      resident: report.resident_bytes ?? 0,
    };
  } catch {
    return null;
  }
}
