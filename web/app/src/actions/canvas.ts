// SPDX-License-Identifier: Apache-2.0
// What the actions know of the canvas on the page.
import { type Point, type Selection } from "@larmor/graph";
import { type CanvasNode } from "../canvas/model.ts";
import { useApp } from "../state/app.ts";

/** What the canvas on the page can be asked; set by the canvas while it is there. */
export interface CanvasHandle {
  /** The point of the graph under the pointer, or the middle of what is seen. */
  place(): Point;
  fit(): void;
  focus(ids: string[]): void;
  zoom(factor: number | "one"): void;
  nodes(): CanvasNode[];
  quickAdd(): void;
  /** Brings a node into view that is about to be drawn. */
  seen(id: string): void;
}
let canvas: CanvasHandle | null = null;
export const setCanvas = (handle: CanvasHandle | null) => {
  canvas = handle;
};
export const theCanvas = () => canvas;

export const catalogue = () => useApp.getState().catalogue;
export const some = (s: Required<Selection>) => s.nodes.length + s.comments.length + s.frames.length > 0;
export const count = (n: number, what: string) => (n === 1 ? what : `${n} ${what}s`);
