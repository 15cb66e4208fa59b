// SPDX-License-Identifier: Apache-2.0
import { interpolateInferno, interpolateTurbo, interpolateViridis } from "d3-scale-chromatic";

export type Rgb = [number, number, number];

/**
 * Hue [deg] of a phase [rad]: 0 deg cyan, +90 deg green, 180 deg red, -90 deg magenta, linear in between.
 *
 * The quarter turns are not of equal length on the hue circle (cyan to green is 60 deg of hue, green to red 120 deg):
 * the four primaries are what a reader recognises, so they are put where a phase has a name.
 */
export function phaseHue(phase: number): number {
  const quarter = wrap(phase) / (Math.PI / 2); // -2 .. 2
  if (quarter >= 1) return 120 - 120 * (quarter - 1); // green -> red
  if (quarter >= 0) return 180 - 60 * quarter; // cyan -> green
  if (quarter >= -1) return 180 - 120 * quarter; // cyan -> magenta
  return 300 - 60 * (quarter + 1); // magenta -> red
}

/** Angle in (-pi, pi]. */
export function wrap(angle: number): number {
  const turn = 2 * Math.PI;
  const a = angle - turn * Math.round(angle / turn);
  return a <= -Math.PI ? a + turn : a;
}

/** Fully saturated colour of a hue [deg], components 0..1. */
export function hueRgb(hue: number): Rgb {
  const h = (((hue % 360) + 360) % 360) / 60;
  const channel = (shift: number) => Math.min(1, Math.max(0, Math.abs(((h + shift) % 6) - 3) - 1));
  return [channel(0), channel(4), channel(2)];
}

/** Complex colour: hue from the phase, brightness (0..1) from the magnitude within the window. */
export function complexRgb(re: number, im: number, brightness: number): Rgb {
  const [r, g, b] = hueRgb(phaseHue(Math.atan2(im, re)));
  return [r * brightness, g * brightness, b * brightness];
}

export const mapNames = ["grey", "viridis", "inferno", "turbo", "coolwarm", "phase", "labels"] as const;
export type MapName = (typeof mapNames)[number];

/**
 * Cool to warm, interpolated in Msh space.
 * Source   Moreland, Diverging Color Maps for Scientific Visualization, ISVC (2009): blue (59, 76, 192), red (180, 4, 38)
 */
export function coolwarm(t: number): Rgb {
  const white: Rgb = [88, 0, 0];
  const ends: [Rgb, Rgb] = [toMsh([59 / 255, 76 / 255, 192 / 255]), toMsh([180 / 255, 4 / 255, 38 / 255])];
  const [from, share] = t < 0.5 ? [ends[0], 2 * t] : [ends[1], 2 - 2 * t];
  const middle: Rgb = [white[0], 0, adjustHue(from, white[0])];
  return fromMsh([0, 1, 2].map((i) => from[i]! + share * (middle[i]! - from[i]!)) as Rgb);
}

/** Hue that an unsaturated colour takes so that the way to it from `from` bends evenly (Moreland's AdjustHue). */
function adjustHue([M, s, h]: Rgb, unsaturatedM: number): number {
  if (M >= unsaturatedM) return h;
  const spin = (s * Math.sqrt(unsaturatedM * unsaturatedM - M * M)) / (M * Math.sin(s));
  return h > -Math.PI / 3 ? h + spin : h - spin;
}

const whitePoint: Rgb = [0.95047, 1, 1.08883]; // D65
function toMsh(rgb: Rgb): Rgb {
  const lin = rgb.map((v) => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92)) as Rgb;
  const xyz = [
    0.4124564 * lin[0] + 0.3575761 * lin[1] + 0.1804375 * lin[2],
    0.2126729 * lin[0] + 0.7151522 * lin[1] + 0.072175 * lin[2],
    0.0193339 * lin[0] + 0.119192 * lin[1] + 0.9503041 * lin[2],
  ].map((v, i) => v / whitePoint[i]!);
  const f = xyz.map((v) => (v > 0.008856 ? Math.cbrt(v) : 7.787 * v + 16 / 116)) as Rgb;
  const [L, a, b] = [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])];
  const M = Math.hypot(L, a, b);
  return [M, M > 0 ? Math.acos(L / M) : 0, Math.atan2(b, a)];
}
function fromMsh([M, s, h]: Rgb): Rgb {
  const [L, a, b] = [M * Math.cos(s), M * Math.sin(s) * Math.cos(h), M * Math.sin(s) * Math.sin(h)];
  const fy = (L + 16) / 116;
  const [x, y, z] = [fy + a / 500, fy, fy - b / 200].map(
    (v, i) => whitePoint[i]! * (v ** 3 > 0.008856 ? v ** 3 : (v - 16 / 116) / 7.787),
  ) as Rgb;
  return [
    3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
    -0.969266 * x + 1.8760108 * y + 0.041556 * z,
    0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
  ].map((v) => clamp01(v > 0.0031308 ? 1.055 * v ** (1 / 2.4) - 0.055 : 12.92 * v)) as Rgb;
}

/** Colours for label numbers: far apart for neighbours, the same for the same number everywhere. 0 is the background. */
export function labelRgb(label: number): Rgb {
  if (!(label > 0)) return [0, 0, 0];
  const firsts: Rgb[] = [
    [0.9, 0.6, 0],
    [0.34, 0.71, 0.91],
    [0, 0.62, 0.45],
    [0.94, 0.89, 0.26],
    [0.84, 0.37, 0],
    [0.8, 0.47, 0.65],
    [0, 0.45, 0.7],
  ]; // Okabe and Ito's colour-blind safe set
  if (label <= firsts.length) return firsts[label - 1]!;
  const [r, g, b] = hueRgb(label * 137.508); // golden angle
  return [0.25 + 0.75 * r, 0.25 + 0.75 * g, 0.25 + 0.75 * b];
}

const clamp01 = (v: number) => Math.min(1, Math.max(0, v));

function d3Rgb(text: string): Rgb {
  if (text.startsWith("#")) return [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16) / 255) as Rgb;
  return text.match(/[\d.]+/g)!.slice(0, 3).map((v) => Number(v) / 255) as Rgb;
}

/** One colour of a map, t in 0..1. */
export function mapRgb(name: MapName, t: number): Rgb {
  const u = clamp01(t);
  switch (name) {
    case "grey":
      return [u, u, u];
    case "viridis":
      return d3Rgb(interpolateViridis(u));
    case "inferno":
      return d3Rgb(interpolateInferno(u));
    case "turbo":
      return d3Rgb(interpolateTurbo(u));
    case "coolwarm":
      return coolwarm(u);
    case "phase":
      return hueRgb(phaseHue((2 * u - 1) * Math.PI));
    case "labels":
      return labelRgb(Math.round(u * 255));
  }
}

const tables = new Map<MapName, Uint8Array>();
/** 256 RGBA entries. */
export function mapTable(name: MapName): Uint8Array {
  let table = tables.get(name);
  if (!table) {
    table = new Uint8Array(256 * 4);
    for (let i = 0; i < 256; ++i) {
      const rgb = mapRgb(name, i / 255);
      for (let c = 0; c < 3; ++c) table[4 * i + c] = Math.round(255 * rgb[c]!);
      table[4 * i + 3] = 255;
    }
    tables.set(name, table);
  }
  return table;
}
