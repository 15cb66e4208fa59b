// SPDX-License-Identifier: Apache-2.0
export { Viewer } from "./Viewer.tsx";
export { Thumbnail, type ThumbnailProps } from "./thumbnail/Thumbnail.tsx";
export { viewersFor, viewerTitles } from "./viewers.ts";
export { Client } from "./api/client.ts";
export type { Api, ArrayLeaf, Part, PlainOptions, Tree, ValueInfo, ViewerName, ViewerProps } from "./types.ts";
export type { ImageOptions } from "./image/options.ts";
export type { CurveOptions } from "./curves/source.ts";
