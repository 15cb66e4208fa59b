// SPDX-License-Identifier: Apache-2.0
// What the canvas, menus and keys do to the graph that is shown.
export * from "./actions/arrange.ts";
export { type CanvasHandle, setCanvas, theCanvas } from "./actions/canvas.ts";
export * from "./actions/clipboard.ts";
export * from "./actions/files.ts";
export * from "./actions/groups.ts";
export * from "./actions/nodes.ts";
export * from "./actions/settings.ts";
