// SPDX-License-Identifier: Apache-2.0
import { isInteger } from "../api/decode.ts";
import type { Indices } from "../maths/axes.ts";
import type { MapName } from "../maths/colour.ts";
import type { Line } from "../maths/profile.ts";
import type { Roi } from "../maths/roi.ts";
import { autoWindow, widened, type Window } from "../maths/window.ts";
import type { ArrayLeaf, Part } from "../types.ts";
import type { Zoom } from "./layout.ts";

export type Tool = "point" | "line" | "rect" | "ellipse" | "polygon";
export interface WindowOption extends Partial<Window> {
  /** array: percentiles 1-99 of the whole array; slice: of what is shown; manual: lo and hi. */
  mode: "array" | "slice" | "manual";
}
export interface CompareOption {
  port: string;
  mode: "wipe" | "difference" | "overlay";
  at?: number;
  opacity?: number;
  map?: MapName;
  window?: Partial<Window>;
}

/** All that an image viewer remembers; plain data, every field may be absent. */
export interface ImageOptions {
  path?: string;
  axes?: [string, string];
  at?: Indices;
  part?: Part;
  maps?: Partial<Record<Part, MapName>>;
  windows?: Partial<Record<Part, WindowOption>>;
  gamma?: number;
  smooth?: boolean;
  aspect?: "geometry" | "square" | "fill";
  flip?: { h?: boolean; v?: boolean };
  zoom?: Zoom;
  tile?: { axis: string; from?: number; to?: number; every?: number; columns?: number } | null;
  cine?: { axis?: string; fps?: number };
  compare?: CompareOption | null;
  rois?: Roi[];
  /** Axis along which the means of the regions are drawn. */
  roiCurve?: string | null;
  line?: Line | null;
  tool?: Tool;
  bar?: boolean;
}

/** Labels and masks: booleans, and integers that count to a few. */
export const looksLikeLabels = (leaf: ArrayLeaf): boolean =>
  leaf.dtype.startsWith("bool") ||
  (isInteger(leaf.dtype) && (leaf.min ?? -1) >= 0 && (leaf.max ?? Infinity) <= 24 && (leaf.max ?? 0) > 0);

export function defaultMap(leaf: ArrayLeaf, part: Part): MapName {
  if (part === "phase") return "phase";
  return looksLikeLabels(leaf) ? "labels" : "grey";
}

/** The window to draw with. `whole` are the percentiles of the whole array, `shown` the values on the screen. */
export function resolveWindow(
  option: WindowOption | undefined,
  part: Part,
  map: MapName,
  whole: Window | null,
  shown: () => ArrayLike<number>,
): Window {
  if (option?.mode === "manual" && option.lo !== undefined && option.hi !== undefined) {
    return { lo: option.lo, hi: option.hi };
  }
  if (part === "phase") return { lo: -Math.PI, hi: Math.PI };
  const auto = option?.mode !== "slice" && whole ? widened(whole.lo, whole.hi) : autoWindow(shown());
  if (part === "colour") return { lo: 0, hi: auto.hi };
  if (map === "coolwarm" && auto.lo < 0 && auto.hi > 0) {
    const most = Math.max(-auto.lo, auto.hi); // white is zero
    return { lo: -most, hi: most };
  }
  return auto;
}
