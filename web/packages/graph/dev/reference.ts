// SPDX-License-Identifier: Apache-2.0
// What the reference pages of operations say, as a catalogue: enough to know how large nodes are, without the program.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Catalogue, type OpInfo, type PortInfo } from "../src/catalogue.ts";
import type { GraphDoc } from "../src/document.ts";
import { nodeShape, type Rect } from "../src/geometry.ts";
import { levelAt, type Level } from "../src/level.ts";
import { nodeView } from "../src/node_view.ts";

export const source = fileURLToPath(new URL("../../../..", import.meta.url));
const folder = join(source, "docs/reference/operations");

const rows = (text: string, head: string): string[][] => {
  const table = new RegExp(`^\\| ${head} \\|.*\\n\\|[-|]+\\|\\n((?:\\|.*\\n)*)`, "m").exec(text + "\n")?.[1] ?? "";
  return table.split("\n").filter(Boolean).map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((c) => c.trim()));
};
const port = ([name, type, what, limits]: string[]): PortInfo => ({ name: name!.replace(/`/g, ""), type: type!, what, required: !/optional/.test(limits ?? ""), repeated: /any number of wires/.test(limits ?? "") });

export function referenceOps(): OpInfo[] {
  const ops: OpInfo[] = [];
  for (const file of readdirSync(folder)) {
    if (!file.endsWith(".md") || file === "README.md") continue;
    for (const part of readFileSync(join(folder, file), "utf8").split(/^## /m).slice(1)) {
      const id = /^`([\w.]+)`$/m.exec(part)?.[1];
      if (!id) continue;
      const settings = rows(part, "Setting").map((r) => ({ name: r[0]!.replace(/`/g, ""), kind: r[1]!.split(",")[0]! as never }));
      ops.push({ id, title: part.slice(0, part.indexOf("\n")).trim(), inputs: rows(part, "In").map(port), outputs: rows(part, "Out").map(port), settings });
    }
  }
  return ops;
}
const pictured = new Set(["array", "image", "maps", "curve", "numbers", "picture", "trajectory", "scene", "any"]);

export interface Shipped {
  file: string;
  doc: GraphDoc;
}
export const shippedGraphs = (): Shipped[] =>
  ["examples/graphs", "graphs"].flatMap((where) => readdirSync(join(source, where)).filter((f) => f.endsWith(".json")).map((f) => ({ file: join(where, f), doc: JSON.parse(readFileSync(join(source, where, f), "utf8")) as GraphDoc })));

export const reference = new Catalogue({ types: {}, ops: referenceOps(), graphs: shippedGraphs().filter((g) => g.file.startsWith("graphs")).map((g) => ({ name: /([\w-]+)\.json$/.exec(g.file)![1]!, graph: g.doc })) });

/** Nodes of a level as the canvas draws them, pictures on. One that the pages do not know yet gets room for a picture. */
export function rectsOf(level: Level): Map<string, Rect> {
  const out = new Map<string, Rect>();
  for (const [id, n] of Object.entries(level.graph.nodes ?? {})) {
    const view = nodeView(level, id, reference);
    const shape = nodeShape(view, n.folded, !n.folded && (view.kind === "broken" || view.outputs.some((p) => pictured.has(p.type))));
    out.set(id, { x: n.at?.[0] ?? 0, y: n.at?.[1] ?? 0, w: view.kind === "broken" ? Math.max(shape.w, 240) : shape.w, h: shape.h });
  }
  return out;
}

/** Every graph of a document: itself, and those that its own nodes stand for. */
export function levelsOf(doc: GraphDoc): Level[] {
  const out: Level[] = [];
  const visit = (path: string[], seen: Set<string>) => {
    const level = levelAt(doc, path);
    if (seen.has(level.pointer)) return;
    seen.add(level.pointer);
    out.push(levelAt(doc, path, reference.pipelines));
    for (const [id, n] of Object.entries(level.graph.nodes ?? {})) if (n.graph && levelAt(doc, [...path, id]).path.length > path.length) visit([...path, id], seen);
  };
  visit([], new Set());
  return out;
}
