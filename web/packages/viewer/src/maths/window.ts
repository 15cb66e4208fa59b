// SPDX-License-Identifier: Apache-2.0

/** Values shown black and white (floor and ceiling). */
export interface Window {
  lo: number;
  hi: number;
}

/** Position of a value in the window, 0..1, after gamma. A window of no width is a threshold. */
export function windowed(value: number, { lo, hi }: Window, gamma = 1): number {
  if (Number.isNaN(value)) return NaN;
  const t = hi > lo ? (value - lo) / (hi - lo) : value > lo ? 1 : 0;
  return Math.min(1, Math.max(0, t)) ** gamma;
}

/**
 * Window after a drag of (dx, dy) screen pixels: right widens, up brightens (lowers the level), as on a scanner console.
 * 300 pixels double the width or move the level by a width.
 */
export function dragged(start: Window, dx: number, dy: number): Window {
  const width = Math.max(start.hi - start.lo, Number.MIN_VALUE);
  const level = (start.lo + start.hi) / 2 + (dy / 300) * width;
  const next = width * 2 ** (dx / 300);
  return { lo: level - next / 2, hi: level + next / 2 };
}

/**
 * Percentiles (0..100) of the finite values, linear between order statistics, from at most 65,536 evenly spread
 * samples: a window needs two digits, and sorting a 2048 x 2048 slice would take longer than drawing it.
 */
export function percentiles(values: ArrayLike<number>, ps: number[], most = 65536): number[] {
  const step = Math.max(1, Math.floor(values.length / most));
  const kept = new Float64Array(Math.ceil(values.length / step));
  let n = 0;
  for (let i = 0; i < values.length; i += step) {
    const v = values[i]!;
    if (Number.isFinite(v)) kept[n++] = v;
  }
  if (n === 0) return ps.map(() => NaN);
  const sorted = kept.subarray(0, n).sort();
  return ps.map((p) => {
    const at = (Math.min(100, Math.max(0, p)) / 100) * (n - 1);
    const i = Math.floor(at);
    const next = sorted[Math.min(i + 1, n - 1)]!;
    return sorted[i]! + (at - i) * (next - sorted[i]!);
  });
}

/** Percentiles 1 to 99; when they coincide the extremes; when those do too, a window of width 1 around the value. */
export function autoWindow(values: ArrayLike<number>): Window {
  const [lo, hi] = percentiles(values, [1, 99]) as [number, number];
  if (hi > lo) return { lo, hi };
  let min = Infinity;
  let max = -Infinity;
  for (let i = 0; i < values.length; ++i) {
    const v = values[i]!;
    if (!Number.isFinite(v)) continue;
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return widened(min, max);
}

/** A window that has a width, whatever came in. */
export function widened(lo: number, hi: number): Window {
  if (!Number.isFinite(lo) || !Number.isFinite(hi)) return { lo: 0, hi: 1 };
  if (hi > lo) return { lo, hi };
  const half = lo === 0 ? 0.5 : Math.abs(lo) / 2;
  return { lo: lo - half, hi: lo + half };
}

/** Round tick values (1, 2, 5 times a power of ten) within [lo, hi], about `count` of them. */
export function ticks(lo: number, hi: number, count = 5): number[] {
  if (!(hi > lo) || count < 1) return [];
  const raw = (hi - lo) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((m) => m * power >= raw * 0.999)! * power;
  const first = Math.ceil(lo / step - 1e-9);
  const last = Math.floor(hi / step + 1e-9);
  const out: number[] = [];
  for (let i = first; i <= last; ++i) out.push(i === 0 ? 0 : Number((i * step).toPrecision(12)));
  return out;
}

/** Short text of a number: 4 significant digits, no trailing zeros, exponents outside 1e-3 .. 1e5. */
export function short(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text =
    size < 1e-3 || size >= 1e5
      ? value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e")
      : String(Number(value.toPrecision(digits)));
  return text.replace(/^-/, "−").replace("e-", "e−");
}
