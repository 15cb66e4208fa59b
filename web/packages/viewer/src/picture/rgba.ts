// SPDX-License-Identifier: Apache-2.0
import type { ArrayData } from "../api/client.ts";

/** (x, y, 3 or 4) to pixels: bytes as they are, floats as 0..1 (0..255 when they exceed 1). */
export function rgba(a: Pick<ArrayData, "data" | "shape" | "dtype">): ImageData {
  const [w, h, n] = [a.shape[0] ?? 1, a.shape[1] ?? 1, a.shape[2] ?? 1];
  const out = new Uint8ClampedArray(w * h * 4);
  const size = w * h;
  let most = 0;
  if (a.dtype !== "u8") for (const v of a.data) if (v > most) most = v;
  const scale = a.dtype === "u8" || most > 1 ? 1 : 255;
  for (let k = 0; k < size; ++k) {
    for (let c = 0; c < 3; ++c) out[4 * k + c] = a.data[Math.min(c, n - 1) * size + k]! * scale;
    out[4 * k + 3] = n >= 4 ? a.data[3 * size + k]! * scale : 255;
  }
  return new ImageData(out, w, h);
}
