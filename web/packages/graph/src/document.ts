// SPDX-License-Identifier: Apache-2.0
import type { Json } from "./json.ts";

export type Point = [number, number];
export type Policy = "automatic" | "keep" | "free" | "spill" | "recompute";
export type Mode = "normal" | "bypass" | "freeze";

export interface MapOver {
  axis: string;
  inputs?: string[];
  in_flight?: number;
}

export interface Loop {
  kind: "each" | "repeat" | "until";
  over?: string[];
  axis?: string;
  times?: number;
  condition?: string;
  feedback?: Record<string, string>;
  history?: boolean;
}

export interface NodeDoc {
  op?: string;
  graph?: string;
  at?: Point;
  settings?: Record<string, Json>;
  sweeps?: Record<string, Json[]>;
  ports?: string[];
  policy?: Record<string, Policy>;
  mode?: Mode;
  map?: MapOver;
  loop?: Loop;
  title?: string;
  note?: string;
  folded?: boolean;
}

export interface GraphInput {
  type: string;
  what?: string;
  to?: string[];
  required?: boolean;
}
export interface GraphOutput {
  type: string;
  what?: string;
  from?: string;
}
export interface Promoted {
  node: string;
  setting: string;
  title?: string;
  what?: string;
}
export interface Comment {
  at: Point;
  size: Point;
  text: string;
  colour?: string;
}
export interface Frame {
  at: Point;
  size: Point;
  title?: string;
  colour?: string;
}

export interface DashboardItem {
  kind: "setting" | "viewer" | "text";
  node?: string;
  setting?: string;
  port?: string;
  viewer?: string;
  options?: Record<string, Json>;
  markdown?: string;
  text?: string;  // the same, as comments call it
  x?: number;
  y?: number;
  w?: number;
  h?: number;
}
export interface Dashboard {
  title?: string;
  layout?: "free" | "rows" | "columns";
  items?: DashboardItem[];
}

/** A graph as it lies in its file. Everything that is empty or a default may be left out. */
export interface GraphDoc {
  larmor?: number;
  title?: string;
  about?: string;
  nodes?: Record<string, NodeDoc>;
  wires?: Record<string, string>;
  inputs?: Record<string, GraphInput>;
  outputs?: Record<string, GraphOutput>;
  settings?: Record<string, Promoted>;
  comments?: Record<string, Comment>;
  frames?: Record<string, Frame>;
  definitions?: Record<string, GraphDoc>;
  dashboards?: Record<string, Dashboard>;
}

/** "fit.signal" -> ["fit", "signal"]; a repeated port keeps its number: ["cat", "in.2"]. */
export function splitPort(reference: string): [node: string, port: string] {
  const dot = reference.indexOf(".");
  return dot < 0 ? [reference, ""] : [reference.slice(0, dot), reference.slice(dot + 1)];
}
export const portRef = (node: string, port: string) => `${node}.${port}`;

/** An id that is not taken: "blur", "blur_2", ... with letters, digits, _ and - only. */
export function freshId(wish: string, taken: Record<string, unknown> | Set<string>): string {
  const used = (id: string) => (taken instanceof Set ? taken.has(id) : id in taken);
  const clean = wish.replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^_+|_+$/g, "") || "node";
  const stem = clean.replace(/_\d+$/, "") || clean;
  if (!used(clean)) return clean;
  for (let n = 2; ; n++) if (!used(`${stem}_${n}`)) return `${stem}_${n}`;
}
