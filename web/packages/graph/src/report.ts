// SPDX-License-Identifier: Apache-2.0
import type { GraphDoc } from "./document.ts";

export const states = ["idle", "waiting", "running", "done", "cached", "warning", "error", "skipped", "cancelled", "bypassed", "frozen"] as const;
export type State = (typeof states)[number];

export interface PortReport {
  type: string;
  describe: string;
  hash?: string;
  bytes?: number;
  resident?: boolean;
  unchanged?: boolean;
  shape?: number[];
  axes?: string[];
  min?: number | null;
  max?: number | null;
  unit?: string;
}

/** The field names of flow::NodeReport. */
export interface NodeReport {
  path: string;
  op?: string;
  state: State;
  progress?: number;
  doing?: string;
  started?: number;
  seconds?: number;
  expected_seconds?: number;
  mean_seconds?: number;
  sd_seconds?: number;
  runs?: number;
  rounds?: number;
  thread?: number;
  peak_bytes?: number;
  output_bytes?: number;
  cache_hits?: number;
  warnings?: string[];
  error?: string;
  advice?: string;
  log?: string;
  error_at?: string;
  outputs?: Record<string, PortReport>;
}

export interface Issue {
  kind: "error" | "warning";
  node?: string;
  port?: string;
  message: string;
  advice?: string;
  code?: string;
}

const missingOf = new WeakMap<Issue[], Map<string, Issue>>();
/** Files that a graph still needs, by node: a setting that names none, or one that is not there. */
export function missingFiles(issues: Issue[]): Map<string, Issue> {
  let found = missingOf.get(issues);
  if (!found) missingOf.set(issues, (found = new Map(issues.flatMap((i) => (i.code === "missing_file" && i.node ? [[i.node, i] as const] : [])))));
  return found;
}
export interface NeededInput {
  name: string;
  message: string;
  advice: string;
}
/** The input of the graph that a node failed for want of: a pipeline that is opened by itself has nobody who gives it any. */
export function inputNeeded(inputs: GraphDoc["inputs"], report: NodeReport | undefined): NeededInput | undefined {
  const [all, port] = (report?.state === "error" && /\bin-port '([^']+)' gets nothing\b/.exec(report.error ?? "")) || [];
  const [name, input] = (port && Object.entries(inputs ?? {}).find(([, i]) => i.to?.includes(`${report!.path}.${port}`))) || [];
  if (!name) return undefined;
  // A node that says more than that has other ways out, and says which.
  const advice = report!.error === all ? `choose a file for it${input?.what ? `: ${input.what}` : ""}` : report!.advice || "choose a file for it";
  return { name, message: `input “${name}” of the graph is not given`, advice };
}
/** A state as it is shown: nodes that only wait for a file to be chosen are not called errors. */
export type Shown = State | "needs";
export const shownState = (state: State, missing: unknown): Shown => (missing && (state === "error" || state === "idle" || state === "cancelled") ? "needs" : state);

export interface RunSummary {
  run: number;
  started?: string | number;
  seconds?: number;
  state: string;
  peak_bytes?: number;
}

export interface RunReport {
  state: string;
  seconds: number;
  peak_bytes?: number;
  resident_bytes?: number;
  ran?: number;
  cached?: number;
  failed?: number;
  skipped?: number;
  nodes: Record<string, NodeReport>;
  issues?: Issue[];
}

/** Seconds left of a running node: from earlier runs when there are any, else from its progress; NaN when nobody knows. */
export function secondsLeft(report: NodeReport, elapsed: number): number {
  const p = report.progress ?? 0;
  const byProgress = p > 0.02 ? (elapsed * (1 - p)) / p : NaN;
  const expected = report.expected_seconds ?? 0;
  if (expected <= 0) return byProgress;
  const byHistory = expected - elapsed;
  if (Number.isNaN(byProgress)) return byHistory > 0 ? byHistory : NaN;
  // The longer it runs, the more its own pace says.
  return p * byProgress + (1 - p) * Math.max(byHistory, 0);
}

const rank: State[] = ["running", "error", "waiting", "warning", "idle", "cancelled", "skipped", "done", "cached", "frozen", "bypassed"];
const over = new Set<State>(["done", "cached", "warning", "error", "skipped", "cancelled", "bypassed", "frozen"]);

/** The report of a group from those of its nodes: the most pressing state, the sum of the work. */
export function aggregate(path: string, inner: NodeReport[], outputs: Record<string, PortReport>): NodeReport {
  const sum = (of: (r: NodeReport) => number | undefined) => inner.reduce((s, r) => s + (of(r) ?? 0), 0);
  const state = rank.find((s) => inner.some((r) => r.state === s)) ?? "idle";
  const name = (r: NodeReport) => r.path.slice(path.length + 1);
  const failed = inner.find((r) => r.state === "error");
  const running = inner.find((r) => r.state === "running");
  const started = inner.filter((r) => r.seconds).map((r) => r.started ?? 0);
  return {
    path,
    state,
    progress: inner.length ? sum((r) => (over.has(r.state) ? 1 : r.state === "running" ? r.progress : 0)) / inner.length : 0,
    doing: running ? [name(running), running.doing].filter(Boolean).join(": ") : "",
    started: started.length ? Math.min(...started) : 0,
    seconds: sum((r) => r.seconds),
    expected_seconds: sum((r) => r.expected_seconds),
    output_bytes: sum((r) => r.output_bytes),
    peak_bytes: Math.max(0, ...inner.map((r) => r.peak_bytes ?? 0)),
    warnings: inner.flatMap((r) => (r.state === "idle" ? [] : (r.warnings ?? []).map((w) => `${name(r)}: ${w}`))),
    error: failed?.error ? `${name(failed)}: ${failed.error}` : "",
    advice: failed?.advice ?? "",
    error_at: failed?.error_at ?? "",
    outputs,
  };
}
