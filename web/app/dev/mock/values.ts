// SPDX-License-Identifier: Apache-2.0
// Values that the stand-in server shows: a head of ellipses, its Fourier-like phase, curves.
export interface MockArray {
  dtype: "f32" | "c64";
  shape: number[];
  axes: string[];
  data: Float32Array;  // complex: pairs
}

const ellipses = [[1, 0.69, 0.92, 0, 0, 0], [-0.8, 0.6624, 0.874, 0, -0.0184, 0], [-0.2, 0.11, 0.31, 0.22, 0, -18], [-0.2, 0.16, 0.41, -0.22, 0, 18], [0.1, 0.21, 0.25, 0, 0.35, 0], [0.1, 0.046, 0.046, 0, 0.1, 0], [0.1, 0.046, 0.023, -0.08, -0.605, 0], [0.1, 0.023, 0.046, 0.06, -0.605, 0]] as const;

function head(x: number, y: number, z: number): number {
  const shrink = Math.sqrt(Math.max(0.05, 1 - z * z * 0.8));
  let v = 0;
  for (const [a, w, h, cx, cy, deg] of ellipses) {
    const t = (deg * Math.PI) / 180, dx = x / shrink - cx, dy = y / shrink - cy;
    const u = dx * Math.cos(t) + dy * Math.sin(t), s = -dx * Math.sin(t) + dy * Math.cos(t);
    if ((u / w) ** 2 + (s / h) ** 2 <= 1) v += a;
  }
  return v;
}

export function image(seed: number, complex = false, n = 96, slices = 12): MockArray {
  const data = new Float32Array(n * n * slices * (complex ? 2 : 1));
  const gain = 0.6 + (seed % 7) * 0.1, warp = (seed % 5) * 0.6;
  for (let k = 0, i = 0; k < slices; k++) for (let j = 0; j < n; j++) for (let l = 0; l < n; l++, i++) {
    const x = (2 * l) / (n - 1) - 1, y = 1 - (2 * j) / (n - 1), z = slices > 1 ? (2 * k) / (slices - 1) - 1 : 0;
    const noise = Math.sin(i * 12.9898 + seed) * 43758.5453;
    const v = gain * head(x, y, z) * (1 + 0.25 * Math.sin(3 * x + warp) * Math.cos(2 * y)) + 0.015 * (noise - Math.floor(noise));
    if (complex) {
      const phase = 2.5 * x * y + warp + 1.5 * z;
      data[2 * i] = v * Math.cos(phase);
      data[2 * i + 1] = v * Math.sin(phase);
    } else data[i] = v;
  }
  return { dtype: complex ? "c64" : "f32", shape: [n, n, slices], axes: ["x", "y", "z"], data };
}

export function curve(seed: number, n = 60): { x: number[]; y: number[] } {
  const x = Array.from({ length: n }, (_, i) => i * 5);
  return { x, y: x.map((t) => (t < 20 ? 0 : 5 * (1 - Math.exp(-(t - 20) / 8)) * (0.7 * Math.exp(-(t - 20) / 25) + 0.25 * Math.exp(-(t - 20) / 400)) * (1 + (seed % 4) * 0.1))) };
}
