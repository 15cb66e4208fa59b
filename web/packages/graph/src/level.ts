// SPDX-License-Identifier: Apache-2.0
import type { GraphDoc } from "./document.ts";
import { pointer } from "./patch.ts";

/** A graph inside a document: the document itself, or the definition that a node stands for. */
export interface Level {
  path: string[];     // node ids from the top
  pointer: string;    // of the graph in the document
  graph: GraphDoc;
  scopes: { pointer: string; graph: GraphDoc }[];  // innermost first: where definitions are looked up
}

/** Graphs that come with the program, by name: definitions of last resort, which no document can change. */
export type Library = Record<string, GraphDoc>;
const libraryPointer = "library:";
export const isShipped = (level: Pick<Level, "pointer">) => level.pointer.startsWith(libraryPointer);

export const topLevel = (doc: GraphDoc, library?: Library): Level => ({
  path: [], pointer: "", graph: doc,
  scopes: [{ pointer: "", graph: doc }, ...(library ? [{ pointer: libraryPointer, graph: { definitions: library } }] : [])],
});

/** The definition of a name as seen from a level; innermost first. */
export function findDefinition(level: Pick<Level, "scopes">, name: string): { pointer: string; graph: GraphDoc; depth: number } | undefined {
  for (let depth = 0; depth < level.scopes.length; depth++) {
    const scope = level.scopes[depth]!;
    const graph = scope.graph.definitions?.[name];
    if (graph) return { pointer: scope.pointer + pointer("definitions", name), graph, depth };
  }
  return undefined;
}

/** One step into a sub-graph node; undefined when it is none, or stands for a graph that is not in this document. */
export function enter(level: Level, node: string): Level | undefined {
  const name = level.graph.nodes?.[node]?.graph;
  if (!name) return undefined;
  const found = findDefinition(level, name);
  if (!found) return undefined;
  return {
    path: [...level.path, node],
    pointer: found.pointer,
    graph: found.graph,
    scopes: [{ pointer: found.pointer, graph: found.graph }, ...level.scopes.slice(found.depth)],
  };
}

/** As deep as the path leads; a path that has gone ends at what is left of it. */
export function levelAt(doc: GraphDoc, path: string[], library?: Library): Level {
  let level = topLevel(doc, library);
  for (const node of path) {
    const next = enter(level, node);
    if (!next) break;
    level = next;
  }
  return level;
}

/** The document with one of its graphs changed. A graph that comes with the program is not one of them. */
export function changeAt(doc: GraphDoc, level: Pick<Level, "pointer">, change: (graph: GraphDoc) => GraphDoc): GraphDoc {
  if (isShipped(level)) return doc;
  const names: string[] = [];
  const keys = level.pointer === "" ? [] : level.pointer.slice(1).split("/");
  for (let i = 1; i < keys.length; i += 2) names.push(keys[i]!.replace(/~1/g, "/").replace(/~0/g, "~"));
  const go = (graph: GraphDoc, rest: string[]): GraphDoc => {
    if (rest.length === 0) return change(graph);
    const [name, ...deeper] = rest as [string, ...string[]];
    const inner = graph.definitions?.[name];
    if (!inner) return graph;
    const changed = go(inner, deeper);
    return changed === inner ? graph : { ...graph, definitions: { ...graph.definitions, [name]: changed } };
  };
  return go(doc, names);
}
