// SPDX-License-Identifier: Apache-2.0

/** Zoom relative to what fits, and the point of the picture (0..1) in the middle of the screen. */
export interface Zoom {
  k: number;
  cx: number;
  cy: number;
}
export const fitted: Zoom = { k: 1, cx: 0.5, cy: 0.5 };

export interface LayoutInput {
  /** Indices along the two shown axes. */
  width: number;
  height: number;
  /** Length of an index step along each, in any unit. */
  size: [number, number];
  count: number;
  columns: number;
  box: { width: number; height: number };
  flipH: boolean;
  flipV: boolean;
  zoom: Zoom;
}

/** Where tiles are on the screen, and back. Pixel (i, j) covers [i - 0.5, i + 0.5] x [j - 0.5, j + 0.5]. */
export class Layout {
  readonly scale: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  private readonly input: LayoutInput;
  private readonly columns: number;
  private readonly rows: number;
  private readonly gap: number;
  private readonly left: number;
  private readonly top: number;

  constructor(input: LayoutInput) {
    this.input = input;
    this.columns = Math.max(1, Math.min(input.columns, input.count));
    this.rows = Math.ceil(Math.max(1, input.count) / this.columns);
    const w = input.width * input.size[0];
    const h = input.height * input.size[1];
    this.gap = input.count > 1 ? 2 : 0; // screen pixels
    const room = {
      width: Math.max(1, input.box.width - this.gap * (this.columns - 1)),
      height: Math.max(1, input.box.height - this.gap * (this.rows - 1)),
    };
    const fit = Math.min(room.width / (w * this.columns), room.height / (h * this.rows));
    this.scale = fit * input.zoom.k;
    this.tileWidth = w * this.scale;
    this.tileHeight = h * this.scale;
    this.left = input.box.width / 2 - input.zoom.cx * this.totalWidth;
    this.top = input.box.height / 2 - input.zoom.cy * this.totalHeight;
  }
  get totalWidth(): number {
    return this.tileWidth * this.columns + this.gap * (this.columns - 1);
  }
  get totalHeight(): number {
    return this.tileHeight * this.rows + this.gap * (this.rows - 1);
  }
  tile(k: number): { x: number; y: number; width: number; height: number } {
    return {
      x: this.left + (k % this.columns) * (this.tileWidth + this.gap),
      y: this.top + Math.floor(k / this.columns) * (this.tileHeight + this.gap),
      width: this.tileWidth,
      height: this.tileHeight,
    };
  }
  /** Index coordinates (not rounded) under a point of the screen; null beside the tiles. */
  toIndex(x: number, y: number): { tile: number; i: number; j: number } | null {
    const column = Math.floor((x - this.left) / (this.tileWidth + this.gap));
    const row = Math.floor((y - this.top) / (this.tileHeight + this.gap));
    const tile = row * this.columns + column;
    if (column < 0 || row < 0 || column >= this.columns || tile >= this.input.count) return null;
    return { tile, ...this.indexIn(tile, x, y) };
  }
  /** The same for a given tile, also outside of it: for drags that leave it. */
  indexIn(tile: number, x: number, y: number): { i: number; j: number } {
    const t = this.tile(tile);
    const u = (x - t.x) / t.width;
    const v = (y - t.y) / t.height;
    return {
      i: (this.input.flipH ? 1 - u : u) * this.input.width - 0.5,
      j: (this.input.flipV ? 1 - v : v) * this.input.height - 0.5,
    };
  }
  toScreen(tile: number, i: number, j: number): [number, number] {
    const t = this.tile(tile);
    const u = (i + 0.5) / this.input.width;
    const v = (j + 0.5) / this.input.height;
    return [t.x + (this.input.flipH ? 1 - u : u) * t.width, t.y + (this.input.flipV ? 1 - v : v) * t.height];
  }
  /** Zoom by a factor with the point (x, y) held; what fits again is centred. */
  zoomed(factor: number, x: number, y: number): Zoom {
    const k = Math.min(64, Math.max(1, this.input.zoom.k * factor));
    if (k === 1) return fitted;
    const share = k / this.input.zoom.k;
    const u = (x - this.left) / this.totalWidth;
    const v = (y - this.top) / this.totalHeight;
    return {
      k,
      cx: u + (this.input.box.width / 2 - x) / (this.totalWidth * share),
      cy: v + (this.input.box.height / 2 - y) / (this.totalHeight * share),
    };
  }
  /** Picture moved by (dx, dy) pixels; its middle stays within the picture. */
  panned(dx: number, dy: number): Zoom {
    const inside = (v: number) => Math.min(1, Math.max(0, v));
    const { k, cx, cy } = this.input.zoom;
    return { k, cx: inside(cx - dx / this.totalWidth), cy: inside(cy - dy / this.totalHeight) };
  }
  /** Indices [begin, end) of the first tile that are on the screen. */
  visible(): { x: [number, number]; y: [number, number] } | null {
    const { box, width, height } = this.input;
    const [a, b] = [this.indexIn(0, 0, 0), this.indexIn(0, box.width, box.height)];
    const span = (u: number, v: number, n: number): [number, number] => [
      Math.max(0, Math.floor(Math.min(u, v) + 0.5)),
      Math.min(n, Math.ceil(Math.max(u, v) + 0.5)),
    ];
    const [x, y] = [span(a.i, b.i, width), span(a.j, b.j, height)];
    return x[1] > x[0] && y[1] > y[0] ? { x, y } : null;
  }
  /** Where the indices [begin, end) of a tile are on the screen. */
  place(tile: number, x: [number, number], y: [number, number]): { x: number; y: number; width: number; height: number } {
    const [ax, ay] = this.toScreen(tile, x[0] - 0.5, y[0] - 0.5);
    const [bx, by] = this.toScreen(tile, x[1] - 0.5, y[1] - 0.5);
    return { x: Math.min(ax, bx), y: Math.min(ay, by), width: Math.abs(bx - ax), height: Math.abs(by - ay) };
  }
}

/**
 * The piece of a thinned plane to fetch in full: what is seen, in blocks of an eighth of the picture so that a small move
 * asks for nothing new. Null when what is there is as fine as the screen, or as the array.
 */
export function detailBox(
  seen: { x: [number, number]; y: [number, number] },
  extents: [number, number],
  steps: [number, number],
  most: number,
): { x: [number, number]; y: [number, number] } | null {
  if (steps[0] <= 1 && steps[1] <= 1) return null;
  const block = (range: [number, number], n: number): [number, number] => {
    const b = Math.max(1, Math.ceil(n / 8));
    return [Math.floor(range[0] / b) * b, Math.min(n, Math.ceil(range[1] / b) * b)];
  };
  const x = block(seen.x, extents[0]);
  const y = block(seen.y, extents[1]);
  const finer = (range: [number, number], stepNow: number) => Math.ceil((range[1] - range[0]) / most) < stepNow;
  return finer(x, steps[0]) || finer(y, steps[1]) ? { x, y } : null;
}
