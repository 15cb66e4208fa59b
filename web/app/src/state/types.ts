// SPDX-License-Identifier: Apache-2.0
import type { GraphDoc, Issue, NodeReport, Selection } from "@larmor/graph";

export interface RunState {
  run: number;
  state: string;
  seconds: number;
  ran: number;
  cached: number;
  failed: number;
  since: number;  // performance.now() when it began
}
export interface LogEntry {
  seq: number;
  level: string;
  text: string;
  node: string;
  time: Date;
}
export interface Probe {
  key: string;
  port: string;     // whole path: "loop/inner.out"
  viewer?: string;
  options: Record<string, unknown>;
  pinned: boolean;
  round?: number | null;  // of the loop around it; null is the last
}
export type Page = { kind: "canvas" } | { kind: "dashboard"; name: string };

export interface SessionState {
  doc: GraphDoc;
  rev: number;
  path: string;
  savedRev: number;
  undo: string | null;
  redo: string | null;
  auto: boolean;
  issues: Issue[];
  run: RunState | null;
  online: boolean;
  clients: number;
  memory: { resident: number; budget: number };
  sending: boolean;
  log: LogEntry[];
  runs: number;      // counts finished runs, so that the profiler looks again
  at: string[];      // the sub-graph that is shown
  selected: Required<Selection>;
  wires: string[];   // chosen wires, by their in-ports
  probes: Probe[];
  page: Page;
}

export const nothing: Required<Selection> = { nodes: [], comments: [], frames: [] };

/** A graph as the server gives it. */
export interface GraphAnswer {
  id: string;
  path: string;
  rev: number;
  graph: GraphDoc;
  issues?: Issue[];
  nodes?: Record<string, NodeReport>;
  auto?: boolean;
  running?: boolean;
  undo?: string | null;
  redo?: string | null;
  saved_rev?: number;
}
