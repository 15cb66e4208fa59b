// SPDX-License-Identifier: Apache-2.0

export function bytes(n: number): string {
  if (!Number.isFinite(n)) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let k = 0;
  while (n >= 1000 && k < units.length - 1) {
    n /= 1024;
    k++;
  }
  return `${k === 0 || n >= 99.95 ? n.toFixed(0) : n >= 9.995 ? n.toFixed(1) : n.toFixed(2)} ${units[k]}`;
}

export function seconds(s: number): string {
  if (!Number.isFinite(s)) return "–";
  if (s < 0.9995e-3) return `${(s * 1e6).toFixed(0)} µs`;
  if (s < 0.9995) return `${(s * 1e3).toPrecision(s < 0.00995 ? 2 : 3).replace(/\.0+$/, "")} ms`;
  if (s < 59.95) return `${s < 9.995 ? s.toFixed(2) : s.toFixed(1)} s`;
  const m = Math.floor(Math.round(s) / 60);
  return m < 60 ? `${m} min ${String(Math.round(s) % 60).padStart(2, "0")} s` : `${Math.floor(m / 60)} h ${String(m % 60).padStart(2, "0")} min`;
}

/** A number with as many digits as say something. */
export function number(v: number, digits = 4): string {
  if (Number.isNaN(v)) return "NaN";
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
  if (v === 0) return "0";
  const a = Math.abs(v);
  const text = a >= 1e6 || a < 1e-4 ? v.toExponential(digits - 1).replace(/\.?0+e/, "e") : String(Number(v.toPrecision(Math.max(digits, Math.ceil(Math.log10(a + 1))))));
  return text.replace("-", "−").replace("e+", "e");
}

/** How the engine describes a value, as people say it: "f32 (64 x, 64 y) on cpu" is "f32 · 64 x × 64 y". */
export function about(describe: string): string {
  return describe
    .replace(/ on cpu\b/g, "")
    .replace(/ \(\)/g, " · one value")
    .replace(/ \((\d+(?: \w+)?(?:, \d+(?: \w+)?)*)\)/g, (_, axes: string) => " · " + axes.split(", ").join(" × "))
    .replace(/^(\d+) x /, "$1 × ");
}

/** "64 x, 64 y" */
export const shape = (extents: number[], axes: string[] = []) => extents.map((n, i) => (axes[i] ? `${n} ${axes[i]}` : String(n))).join(" × ");
