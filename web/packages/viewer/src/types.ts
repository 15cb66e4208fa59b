// SPDX-License-Identifier: Apache-2.0

/** Where the server is, and what it wants to see. `base` is "" for the page's own origin. */
export interface Api {
  base: string;
  token?: string | null;
}

export type Dtype = "bool" | "boolean" | "u8" | "i16" | "i32" | "f32" | "f64" | "c64" | "c128";
export type Part = "real" | "imag" | "abs" | "phase" | "colour";

/** An array as the value tree tells of it: everything but its elements. */
export interface ArrayLeaf {
  array: true;
  path: string;
  dtype: Dtype;
  shape: number[];
  axes: string[];
  min?: number | null;
  max?: number | null;
}
export type Tree = null | boolean | number | string | Tree[] | ArrayLeaf | { [field: string]: Tree };
export type TreeRecord = { [field: string]: Tree };

/** Answer of GET /value. */
export interface ValueInfo {
  type: string;
  describe: string;
  hash: string;
  bytes: number;
  value: Tree;
}

export type ViewerName =
  | "image"
  | "volume"
  | "curves"
  | "scene"
  | "trajectory"
  | "table"
  | "text"
  | "picture"
  | "number"
  | "report"
  | "maps";

export type PlainOptions = Record<string, unknown>;

export interface ViewerProps {
  api: Api;
  graphId: string;
  /** "node.port", "loop/inner.out". */
  port: string;
  /** One of viewersFor(); the best fit when absent. */
  viewer?: string;
  /** Plain serialisable object; each viewer keeps its own keys in it. */
  options?: PlainOptions;
  onOptions?: (options: PlainOptions) => void;
  /** Viewers with the same key share cursor, slices and window. */
  linked?: string;
  /** Hash of the value as the server reported it: the value is fetched again when it changes. */
  hash?: string | null;
  title?: string;
  /** Ports that can be compared or laid over, for the pickers. */
  ports?: { port: string; title: string; hash?: string | null }[];
  /** No tools: dashboards. */
  plain?: boolean;
}
