// SPDX-License-Identifier: Apache-2.0
import type { SettingInfo } from "./catalogue.ts";
import type { Json } from "./json.ts";

const finite = (v: number | null | undefined): v is number => typeof v === "number" && Number.isFinite(v) && Math.abs(v) < 1e300;
export const lowerOf = (s: SettingInfo) => (finite(s.lower) ? s.lower : undefined);
export const upperOf = (s: SettingInfo) => (finite(s.upper) ? s.upper : undefined);

/** A slider makes sense between two bounds; over several decades of positive numbers it moves by ratio. */
export function sliderScale(s: SettingInfo): "linear" | "log" | null {
  const lo = lowerOf(s), hi = upperOf(s);
  if ((s.kind !== "number" && s.kind !== "integer") || lo === undefined || hi === undefined || hi <= lo) return null;
  const ratio = hi / lo;
  if (lo > 0 && ratio >= 1000) return ratio < 2e7 ? "log" : null;
  return hi - lo < 2e4 ? "linear" : null;
}

/**
 * The setting with the bounds of its slider. Bounds that only keep nonsense out (a flip angle of 1440 degrees, a slice of
 * 10 m) are too far apart for a hand: then the slider goes to twice the usual value, which is the default or, where that
 * is 0, the value that was `first` seen, and as far as the value that is set. What is typed may go further.
 */
export function forHand(s: SettingInfo, value?: number, first?: number): SettingInfo {
  const lo = lowerOf(s), hi = upperOf(s), usual = (typeof s.default === "number" && s.default) || first || 0;
  if (lo === undefined || hi === undefined || usual === 0 || sliderScale(s) === "log" || hi - lo <= 20 * Math.abs(usual)) return s;
  const twice = Number((2 * usual).toPrecision(2));
  const set = value !== undefined && Number.isFinite(value) ? value : usual;
  return { ...s, lower: Math.max(lo, Math.min(lo > 0 ? lo : 0, twice, set)), upper: Math.min(hi, Math.max(twice, 0, set)) };
}

export function toSlider(s: SettingInfo, value: number): number {
  const lo = lowerOf(s) ?? 0, hi = upperOf(s) ?? 1;
  const v = Math.min(Math.max(value, lo), hi);
  return sliderScale(s) === "log" ? Math.log(v / lo) / Math.log(hi / lo) : (v - lo) / (hi - lo);
}
export function fromSlider(s: SettingInfo, position: number): number {
  const lo = lowerOf(s) ?? 0, hi = upperOf(s) ?? 1;
  const raw = sliderScale(s) === "log" ? lo * Math.pow(hi / lo, position) : lo + position * (hi - lo);
  return snap(s, raw);
}

/** To the step, or to as many digits as a hand can set; never outside the bounds. */
export function snap(s: SettingInfo, value: number): number {
  const lo = lowerOf(s), hi = upperOf(s);
  let v = value;
  if (s.kind === "integer") v = Math.round(v);
  if (s.step && s.step > 0) v = (lo ?? 0) + Math.round((v - (lo ?? 0)) / s.step) * s.step;
  v = Number(v.toPrecision(s.step ? 12 : 4));
  if (lo !== undefined) v = Math.max(v, lo);
  if (hi !== undefined) v = Math.min(v, hi);
  return v;
}

/** What was typed, as the setting holds it, or what is wrong with it. Numbers may be sums: "2*pi", "1e-3", "90/180". */
export function parseEntry(s: SettingInfo, text: string): { value: Json } | { problem: string } {
  const t = text.trim();
  if (t === "" && s.optional) return { value: null };
  if (s.kind === "number" || s.kind === "integer") {
    const v = arithmetic(t);
    if (v === null) return { problem: `'${t}' is not a number` };
    if (s.kind === "integer" && !Number.isInteger(v)) return { problem: `${v} is not a whole number` };
    const lo = lowerOf(s), hi = upperOf(s), unit = s.unit ? " " + s.unit : "";
    if (lo !== undefined && v < lo) return { problem: `${v}${unit} is below ${lo}${unit}` };
    if (hi !== undefined && v > hi) return { problem: `${v}${unit} is above ${hi}${unit}` };
    return { value: v };
  }
  if (s.kind === "numbers") {
    const v = parseNumbers(t);
    return v ? { value: v } : { problem: `'${t}' is not a list of numbers` };
  }
  return { value: text };
}

/** "1, 2 3", "0:0.5:2" (from, step, to) and "1:5"; null when it is neither. */
export function parseNumbers(text: string): number[] | null {
  const out: number[] = [];
  for (const part of text.replace(/[[\]]/g, " ").split(/[\s,;]+/).filter(Boolean)) {
    const range = part.split(":");
    const numbers = range.map(arithmetic);
    if (numbers.some((n) => n === null) || range.length > 3) return null;
    if (range.length === 1) out.push(numbers[0]!);
    else {
      const [from, to] = [numbers[0]!, numbers.at(-1)!];
      const step = range.length === 3 ? numbers[1]! : Math.sign(to - from) || 1;
      const count = Math.floor((to - from) / step + 1e-9) + 1;
      if (!(step !== 0) || count < 1 || count > 100000) return null;
      for (let i = 0; i < count; i++) out.push(Number((from + i * step).toPrecision(12)));
    }
  }
  return out;
}

/** + - * / ^ ( ) pi and numbers; null when it is anything else. */
export function arithmetic(text: string): number | null {
  const tokens = text.replace(/−/g, "-").match(/\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|pi|[-+*/^()]|\S/g) ?? [];
  let i = 0;
  const bad = { bad: true };
  const sum = (): number => {
    let v = product();
    while (tokens[i] === "+" || tokens[i] === "-") v = tokens[i++] === "+" ? v + product() : v - product();
    return v;
  };
  const product = (): number => {
    let v = power();
    while (tokens[i] === "*" || tokens[i] === "/") v = tokens[i++] === "*" ? v * power() : v / power();
    return v;
  };
  const power = (): number => {
    if (tokens[i] === "-") return i++, -power();
    if (tokens[i] === "+") return i++, power();
    const v = atom();
    return tokens[i] === "^" ? (i++, Math.pow(v, power())) : v;
  };
  const atom = (): number => {
    const t = tokens[i++];
    if (t === "pi") return Math.PI;
    if (t === "(") {
      const v = sum();
      if (tokens[i++] !== ")") throw bad;
      return v;
    }
    const v = Number(t);
    if (t === undefined || Number.isNaN(v)) throw bad;
    return v;
  };
  try {
    const v = sum();
    return i === tokens.length && Number.isFinite(v) ? Number(v.toPrecision(15)) : null;
  } catch (e) {
    if (e === bad) return null;
    throw e;
  }
}
