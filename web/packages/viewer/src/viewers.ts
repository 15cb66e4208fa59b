// SPDX-License-Identifier: Apache-2.0
import { lazy, type ComponentType } from "react";
import type { Client } from "./api/client.ts";
import { isComplex } from "./api/decode.ts";
import { isLeaf, isRecord, leaves, recordType } from "./api/tree.ts";
import { trajectoryShape } from "./trajectory/paths.ts";
import type { ArrayLeaf, Tree, ValueInfo, ViewerName, ViewerProps } from "./types.ts";

/** What a viewer of one kind gets: the value is there. */
export interface InnerProps extends Omit<ViewerProps, "api" | "graphId" | "viewer" | "hash"> {
  client: Client;
  info: ValueInfo;
}

export const inner: Record<ViewerName, ComponentType<InnerProps>> = {
  image: lazy(() => import("./image/ImageViewer.tsx")),
  volume: lazy(() => import("./volume/VolumeViewer.tsx")),
  curves: lazy(() => import("./curves/CurvesViewer.tsx")),
  scene: lazy(() => import("./scene/SceneViewer.tsx")),
  trajectory: lazy(() => import("./trajectory/TrajectoryViewer.tsx")),
  table: lazy(() => import("./table/TableViewer.tsx")),
  text: lazy(() => import("./text/TextViewer.tsx")),
  picture: lazy(() => import("./picture/PictureViewer.tsx")),
  number: lazy(() => import("./text/NumberViewer.tsx")),
  report: lazy(() => import("./text/ReportViewer.tsx")),
  maps: lazy(() => import("./maps/MapsViewer.tsx")),
};

export const viewerTitles: Record<ViewerName, string> = {
  image: "Image",
  volume: "Volume",
  curves: "Curves",
  scene: "3D scene",
  trajectory: "Trajectory",
  table: "Table",
  text: "Text",
  picture: "Picture",
  number: "Number",
  report: "Report",
  maps: "Maps",
};

const size = (l: ArrayLeaf) => l.shape.reduce((a, b) => a * b, 1);

const channelAxis = (l: ArrayLeaf): string | undefined =>
  l.axes.find((a, i) => ["rgb", "rgba", "colour", "color", "channel"].includes(a) && [1, 3, 4].includes(l.shape[i]!));

/** Grey, or red, green, blue (and alpha) along an axis that says so. */
export const isPicture = (l: ArrayLeaf): boolean => l.shape.length === 3 && !isComplex(l.dtype) && channelAxis(l) !== undefined;

/** Right, down, channels: the order in which pixels are put together. */
export const pictureAxes = (l: ArrayLeaf): string[] => {
  const channels = channelAxis(l)!;
  return [...l.axes.filter((a) => a !== channels), channels];
};

function ofArray(l: ArrayLeaf): ViewerName[] {
  const long = l.shape.filter((n) => n > 1).length;
  if (size(l) === 1) return ["number", "table", "text"];
  if (isPicture(l)) return ["picture", "image", "curves", "text"];
  if (long <= 1) return ["curves", "table", "image", "text"];
  return ["image", "curves", ...(l.shape.length === 2 ? (["table"] as const) : []), "text"];
}

/** Names of the viewers that fit a value, best first. Never empty. */
export function viewersFor(info: Pick<ValueInfo, "type" | "value">): ViewerName[] {
  const { value } = info;
  const type = recordType(value) || info.type;
  if (value === null || typeof value === "number" || typeof value === "boolean") {
    return value === null ? ["text"] : ["number", "text"];
  }
  if (typeof value === "string") return looksLikeHtml(value, info.type) ? ["report", "text"] : ["text"];
  if (isLeaf(value)) return ofArray(value);
  if (Array.isArray(value)) return ofList(value);
  switch (type) {
    case "image": {
      const data = value["data"];
      const l = isLeaf(data) ? data : leaves(value)[0];
      if (!l) return ["text"];
      const deep = l.shape.length >= 3 && l.shape.slice(0, 3).every((n) => n > 1);
      return ["image", ...(deep && value["affine"] && !isComplex(l.dtype) ? (["volume"] as const) : []), "curves", "text"];
    }
    case "maps":
      return ["maps", "volume", "text"];
    case "scene":
      return ["scene", "text"];
    case "trajectory":
      return trajectoryShape(info) ? ["trajectory", "curves", "text"] : ["text"];
    case "table":
      return ["table", "text"];
    case "report":
      return ["report", "text"];
    case "picture":
      return ["picture", "text"];
  }
  return ofRecord(value);
}

function ofList(list: Tree[]): ViewerName[] {
  if (list.length > 0 && list.every((v) => typeof v === "number")) return ["curves", "table", "text"];
  if (list.length > 0 && list.every((v) => typeof v === "number" || typeof v === "string" || typeof v === "boolean")) return ["table", "text"];
  const arrays = leaves(list);
  if (arrays.some((l) => l.shape.filter((n) => n > 1).length >= 2)) return ["image", "text"];
  if (arrays.some((l) => size(l) > 1)) return ["curves", "text"];
  return list.length > 0 && list.every(isRecord) ? ["table", "text"] : ["text"];
}

function ofRecord(value: Tree): ViewerName[] {
  if (!isRecord(value)) return ["text"];
  if (value["columns"] !== undefined && value["rows"] !== undefined) return ["table", "text"];
  if (Array.isArray(value["items"]) && value["items"].some((i) => isRecord(i) && i["positions"] !== undefined)) return ["scene", "text"];
  if (value["maps"] !== undefined) return ["maps", "volume", "text"];
  if (typeof value["html"] === "string") return ["report", "text"];
  if (value["times"] !== undefined && value["values"] !== undefined) return ["curves", "table", "text"];
  const arrays = leaves(value);
  const planar = arrays.some((l) => l.shape.filter((n) => n > 1).length >= 2);
  if (/curve|signal|aif/.test(recordType(value)) && arrays.length > 0) return ["curves", ...(planar ? (["image"] as const) : []), "text"];
  const linear = arrays.some((l) => l.shape.filter((n) => n > 1).length === 1);
  return [...(planar ? (["image"] as const) : []), ...(linear || planar ? (["curves"] as const) : []), "text"];
}

export const looksLikeHtml = (text: string, type = ""): boolean =>
  type === "html" || type === "report" || /^\s*(<!doctype html|<html[\s>])/i.test(text);
