// SPDX-License-Identifier: Apache-2.0
import type { GraphDoc } from "./document.ts";
import type { Library } from "./level.ts";
import type { Json } from "./json.ts";

export interface TypeInfo {
  title: string;
  what?: string;
  parent?: string;
  colour?: string;
  viewers?: string[];
}

export interface PortInfo {
  name: string;
  what?: string;
  type: string;
  required?: boolean;
  repeated?: boolean;
  dtypes?: string[];
  min_rank?: number;
  max_rank?: number;
  axes?: string[];
  lower?: number | null;
  upper?: number | null;
}

export type SettingKind = "number" | "integer" | "boolean" | "choice" | "text" | "file_open" | "file_save" | "folder" | "colour" | "numbers";

export interface SettingInfo {
  name: string;
  what?: string;
  kind: SettingKind;
  default?: Json;
  value?: Json;
  lower?: number | null;
  upper?: number | null;
  step?: number;
  unit?: string;
  choices?: string[];
  optional?: boolean;
  multiline?: boolean;
}

export interface OpInfo {
  id: string;
  title: string;
  does?: string;
  from?: string;
  help?: string;
  version?: number;
  effect?: boolean;
  user?: boolean;
  tags?: string[];
  category?: string;
  inputs: PortInfo[];
  outputs: PortInfo[];
  settings: SettingInfo[];
  examples?: { title: string; graph: string }[];
}

/** A graph that comes with the product; a node can stand for it. */
export interface GraphInfo {
  name: string;
  title?: string;
  about?: string;
  graph?: GraphDoc;
}

export interface CatalogueJson {
  types: Record<string, TypeInfo>;
  categories?: Record<string, { title: string }>;
  ops: OpInfo[];
  graphs?: GraphInfo[];
  extensions?: Record<string, string>;
}

const fallback = "#8a93a3";
/** "to from": what the engine reads as another type without an operation. */
const readings = new Set(["array number", "numbers number", "array numbers", "numbers array", "numbers list", "boolean number", "number boolean", "number array"]);

/** What the server can do, indexed. */
export class Catalogue {
  readonly ops = new Map<string, OpInfo>();
  readonly graphs = new Map<string, GraphInfo>();
  readonly types: Record<string, TypeInfo>;
  readonly extensions: Record<string, string>;
  /** Graphs that nodes of any document can stand for. */
  readonly pipelines: Library = {};
  private readonly categories: Record<string, { title: string }>;

  constructor(json: CatalogueJson) {
    this.types = json.types;
    this.extensions = json.extensions ?? {};
    for (const op of json.ops) this.ops.set(op.id, op);
    this.categories = json.categories ?? {};
    for (const g of json.graphs ?? []) {
      this.graphs.set(g.name, g);
      if (g.graph) this.pipelines[g.name] = g.graph;
    }
  }

  category(op: OpInfo): string {
    return op.category || op.id.split(".")[0]!;
  }
  /** What people call a category, as the server says. */
  categoryTitle(category: string): string {
    return this.categories[category]?.title || category;
  }
  colour(type: string): string {
    for (let t: string | undefined = type, n = 0; t && n < 20; t = this.types[t]?.parent, n++) {
      const colour = this.types[t]?.colour;
      if (colour) return colour;
    }
    return fallback;
  }
  typeTitle(type: string): string {
    return this.types[type]?.title || type;
  }
  viewers(type: string): string[] {
    for (let t: string | undefined = type, n = 0; t && n < 20; t = this.types[t]?.parent, n++) {
      const viewers = this.types[t]?.viewers;
      if (viewers?.length) return viewers;
    }
    return [];
  }

  /** Itself or one of its ancestors. */
  private isA(type: string, ancestor: string): boolean {
    for (let t: string | undefined = type, n = 0; t && n < 20; t = this.types[t]?.parent, n++) if (t === ancestor) return true;
    return false;
  }

  /** A value of `from` can be read as `to` without an operation, by the rules of the engine. */
  accepts(to: string, from: string): boolean {
    if (to === "any" || from === "any" || to === "list") return true;
    if (this.isA(from, to)) return true;
    return readings.has(`${to} ${from}`);
  }
  /** Why not, for people; empty when accepted. */
  refusal(to: string, from: string): string {
    if (this.accepts(to, from)) return "";
    const a = (type: string) => {
      const title = this.typeTitle(type).toLowerCase();
      return (/^[aeiou]/.test(title) ? "an " : "a ") + title;
    };
    return `${a(to)} is needed and this is ${a(from)}`;
  }
}
