// SPDX-License-Identifier: Apache-2.0
import { equal } from "./json.ts";

/** RFC 6902. */
export type Op =
  | { op: "add" | "replace" | "test"; path: string; value: unknown }
  | { op: "remove"; path: string }
  | { op: "move" | "copy"; path: string; from: string };
export type Patch = Op[];

export class PatchError extends Error {}

export const escapePointer = (key: string) => key.replace(/~/g, "~0").replace(/\//g, "~1");
export const pointer = (...keys: string[]) => keys.map((k) => "/" + escapePointer(k)).join("");
export function parsePointer(path: string): string[] {
  if (path === "") return [];
  if (!path.startsWith("/")) throw new PatchError(`'${path}' is no JSON pointer`);
  return path.slice(1).split("/").map((k) => k.replace(/~1/g, "/").replace(/~0/g, "~"));
}

const has = (o: object, k: string) => Object.prototype.hasOwnProperty.call(o, k);
const forbidden = new Set(["__proto__", "constructor", "prototype"]);

export function get(doc: unknown, keys: string[]): unknown {
  let at = doc;
  for (const k of keys) {
    if (typeof at !== "object" || at === null || !has(at, k)) return undefined;
    at = (at as Record<string, unknown>)[k];
  }
  return at;
}

function need(doc: unknown, path: string): unknown {
  const value = get(doc, parsePointer(path));
  if (value === undefined) throw new PatchError(`nothing at '${path}'`);
  return value;
}

/** Copies only what lies on the path: everything else keeps its identity, so views of it need not be drawn again. */
function edit(doc: unknown, keys: string[], path: string, change: (parent: Record<string, unknown> | unknown[], key: string) => void): unknown {
  const [key, ...rest] = keys as [string, ...string[]];
  if (forbidden.has(key)) throw new PatchError(`'${key}' may not be a key`);
  if (typeof doc !== "object" || doc === null) throw new PatchError(`nothing to hold '${path}'`);
  const copy = Array.isArray(doc) ? [...doc] : { ...(doc as Record<string, unknown>) };
  if (rest.length === 0) change(copy, key);
  else {
    if (!has(copy, key)) throw new PatchError(`nothing to hold '${path}'`);
    const c = copy as Record<string, unknown>;
    c[key] = edit(c[key], rest, path, change);
  }
  return copy;
}

function index(list: unknown[], key: string, path: string, most: number): number {
  const i = key === "-" ? list.length : Number(key);
  if (!/^(-|0|[1-9]\d*)$/.test(key) || i > most) throw new PatchError(`no place '${path}' in a list of ${list.length}`);
  return i;
}

function applyOne(doc: unknown, op: Op): unknown {
  const keys = parsePointer(op.path);
  switch (op.op) {
    case "test":
      if (!equal(need(doc, op.path), op.value)) throw new PatchError(`'${op.path}' is not what was expected`);
      return doc;
    case "add":
      if (keys.length === 0) return op.value;
      return edit(doc, keys, op.path, (parent, key) => {
        if (Array.isArray(parent)) parent.splice(index(parent, key, op.path, parent.length), 0, op.value);
        else parent[key] = op.value;
      });
    case "replace":
      if (keys.length === 0) return op.value;
      return edit(doc, keys, op.path, (parent, key) => {
        if (!has(parent, key)) throw new PatchError(`nothing at '${op.path}'`);
        (parent as Record<string, unknown>)[key] = op.value;
      });
    case "remove":
      if (keys.length === 0) throw new PatchError("the whole document cannot be removed");
      return edit(doc, keys, op.path, (parent, key) => {
        if (!has(parent, key)) throw new PatchError(`nothing at '${op.path}'`);
        if (Array.isArray(parent)) parent.splice(index(parent, key, op.path, parent.length - 1), 1);
        else delete parent[key];
      });
    case "copy":
      return applyOne(doc, { op: "add", path: op.path, value: need(doc, op.from) });
    case "move": {
      if (op.path.startsWith(op.from + "/")) throw new PatchError(`'${op.from}' cannot move into itself`);
      const value = need(doc, op.from);
      return applyOne(applyOne(doc, { op: "remove", path: op.from }), { op: "add", path: op.path, value });
    }
  }
}

/** The document after the patch; the given one stays as it is. Throws PatchError, and then nothing has changed. */
export function apply<T>(doc: T, patch: Patch): T {
  return patch.reduce<unknown>(applyOne, doc) as T;
}

/** What turns `from` into `to`: by key in objects, as a whole in lists. Parts that are the same object cost nothing. */
export function diff(from: unknown, to: unknown, path = ""): Patch {
  if (from === to) return [];
  const plain = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);
  if (!plain(from) || !plain(to)) return equal(from, to) ? [] : [{ op: "replace", path, value: to }];
  const patch: Patch = [];
  for (const k of Object.keys(from)) {
    if (to[k] === undefined && from[k] !== undefined) patch.push({ op: "remove", path: path + "/" + escapePointer(k) });
  }
  for (const k of Object.keys(to)) {
    if (to[k] === undefined) continue;
    const at = path + "/" + escapePointer(k);
    if (from[k] === undefined) patch.push({ op: "add", path: at, value: to[k] });
    else patch.push(...diff(from[k], to[k], at));
  }
  return patch;
}
