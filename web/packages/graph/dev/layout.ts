// SPDX-License-Identifier: Apache-2.0
// Lays out the graphs that come along, in place: npx vite-node packages/graph/dev/layout.ts [FILE...]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Point } from "../src/document.ts";
import { layout } from "../src/layout.ts";
import { levelsOf, rectsOf, shippedGraphs, source } from "./reference.ts";

/** The text with the place (or size) of an item changed, the rest as it was written. `keys` lead to the item. */
function placed(text: string, keys: string[], field: "at" | "size", [x, y]: Point): string {
  let from = 0;
  for (const key of keys) {
    // The key at this depth: braces before it have to be closed again.
    for (let at = text.indexOf(`"${key}"`, from), depth = 0, i = from + 1; ; at = text.indexOf(`"${key}"`, at + 1)) {
      if (at < 0) throw new Error(`no ${keys.join(".")}`);
      for (; i < at; i++) depth += text[i] === "{" || text[i] === "[" ? 1 : text[i] === "}" || text[i] === "]" ? -1 : 0;
      const open = /^"[^"]*"\s*:\s*\{/.exec(text.slice(at));
      if (depth !== 0 || !open) continue;
      from = at + open[0].length - 1;
      break;
    }
  }
  const rest = text.slice(from);
  const old = new RegExp(`"${field}"\\s*:\\s*\\[[^\\]]*\\]`).exec(rest);
  const entry = `"${field}": [${x}, ${y}]`;
  if (old) return text.slice(0, from) + rest.slice(0, old.index) + entry + rest.slice(old.index + old[0].length);
  return text.slice(0, from + 1) + entry + ", " + text.slice(from + 1).trimStart();
}

const wanted = process.argv.slice(2).filter((a) => a.endsWith(".json"));
for (const { file, doc } of shippedGraphs()) {
  if (wanted.length && !wanted.some((w) => file.endsWith(w) || w.endsWith(file))) continue;
  let text = readFileSync(join(source, file), "utf8");
  for (const level of levelsOf(doc)) {
    const where = level.pointer.split("/").slice(1);
    const moves = layout(level.graph, rectsOf(level));
    for (const kind of ["nodes", "comments", "frames"] as const) for (const [id, at] of Object.entries(moves[kind] ?? {})) text = placed(text, [...where, kind, id], "at", at);
    for (const [id, size] of Object.entries(moves.frameSizes ?? {})) text = placed(text, [...where, "frames", id], "size", size);
  }
  JSON.parse(text);
  writeFileSync(join(source, file), text);
  console.log(file);
}
