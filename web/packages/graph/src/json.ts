// SPDX-License-Identifier: Apache-2.0

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Deep equality of JSON; an absent key and `undefined` are the same. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((x, i) => equal(x, b[i]));
  const x = a as Record<string, unknown>, y = b as Record<string, unknown>;
  for (const k of Object.keys(x)) if (x[k] !== undefined && !equal(x[k], y[k])) return false;
  for (const k of Object.keys(y)) if (y[k] !== undefined && x[k] === undefined) return false;
  return true;
}

/** A copy of a map without some keys; the same map when it had none of them. */
export function without<T>(map: Record<string, T>, ...keys: string[]): Record<string, T> {
  if (!keys.some((k) => k in map)) return map;
  const copy = { ...map };
  for (const k of keys) delete copy[k];
  return copy;
}

/** A copy of an object with a key set, or removed when the value is undefined or an empty map or list. */
export function put<T extends object, K extends keyof T>(object: T, key: K, value: T[K] | undefined): T {
  const empty = value === undefined || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  if (empty && !(key in object)) return object;
  const copy = { ...object };
  if (empty) delete copy[key];
  else copy[key] = value as T[K];
  return copy;
}
