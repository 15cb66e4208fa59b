// SPDX-License-Identifier: Apache-2.0
import { isLeaf, isRecord, numberList } from "../api/tree.ts";
import type { Cell } from "../maths/csv.ts";
import type { Tree } from "../types.ts";

export interface Table {
  columns: string[];
  rows: Cell[][];
}

export const cellOf = (t: Tree | undefined): Cell =>
  t === undefined || t === null || typeof t === "number" || typeof t === "string" || typeof t === "boolean" ? t : JSON.stringify(t);

/**
 * A table from a value: {columns, rows} with rows as lists or records, {columns: {name: list}}, a list of records or of
 * plain values. Arrays among the columns have to be fetched: those come as `fetched`.
 */
export function tableOf(value: Tree, fetched: Record<string, number[]> = {}): Table | null {
  if (Array.isArray(value)) {
    if (value.length > 0 && value.every(isRecord)) return fromRecords(value as Record<string, Tree>[]);
    return { columns: ["#", "value"], rows: value.map((v, i) => [i, cellOf(v)]) };
  }
  if (!isRecord(value)) return null;
  const { columns, rows } = value;
  if (Array.isArray(rows)) {
    const names = Array.isArray(columns) ? columns.map(columnName) : null;
    if (rows.every(Array.isArray)) {
      const lists = rows as Tree[][];
      const width = Math.max(names?.length ?? 0, ...lists.map((r) => r.length));
      const filled = Array.from({ length: width }, (_, i) => names?.[i] ?? `${i + 1}`);
      return { columns: filled, rows: lists.map((r) => filled.map((_, i) => cellOf(r[i]))) };
    }
    if (rows.every(isRecord)) {
      const t = fromRecords(rows as Record<string, Tree>[]);
      return names ? { columns: names, rows: (rows as Record<string, Tree>[]).map((r) => names.map((n) => cellOf(r[n]))) } : t;
    }
  }
  const byColumn = isRecord(columns) ? columns : value;
  const lists = Object.entries(byColumn)
    .filter(([k]) => !k.startsWith("$"))
    .map(([k, t]) => [k, isLeaf(t) ? (fetched[t.path] ?? []) : (numberList(t) ?? (Array.isArray(t) ? t.map(cellOf) : null))] as const)
    .filter((e): e is readonly [string, Cell[]] => e[1] !== null);
  if (lists.length === 0) return null;
  const n = Math.max(...lists.map(([, l]) => l.length));
  return { columns: lists.map(([k]) => k), rows: Array.from({ length: n }, (_, i) => lists.map(([, l]) => l[i])) };
}

/** Columns may be plain names or records {name, unit}. */
function columnName(t: Tree): string {
  if (isRecord(t)) {
    const unit = typeof t["unit"] === "string" && t["unit"] ? ` [${t["unit"]}]` : "";
    return `${String(t["title"] ?? t["name"] ?? "")}${unit}`;
  }
  return String(cellOf(t) ?? "");
}

function fromRecords(records: Record<string, Tree>[]): Table {
  const columns = [...new Set(records.flatMap((r) => Object.keys(r).filter((k) => k !== "$type")))];
  return { columns, rows: records.map((r) => columns.map((c) => cellOf(r[c]))) };
}

/** The tree cuts lists at this length; longer tables come as a file. */
export const treeRows = 4096;

/** Text of RFC 4180 as rows of fields. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < text.length; ++i) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') {
        field += '"';
        ++i;
      } else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === ",") {
      row.push(field);
      field = "";
    } else if (c === "\n" || c === "\r") {
      if (c === "\r" && text[i + 1] === "\n") ++i;
      rows.push([...row, field]);
      row = [];
      field = "";
    } else field += c;
  }
  if (field !== "" || row.length > 0) rows.push([...row, field]);
  return rows;
}

const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Columns whose texts are all numbers become numbers, so that they sort and align as such. Texts with leading zeros are
 * names (subject 007) and stay.
 */
export function withNumbers(table: Table): Table {
  const numeric = table.columns.map((_, c) => {
    const texts = table.rows.map((r) => r[c]).filter((v): v is string => typeof v === "string" && v !== "" && v.toLowerCase() !== "nan");
    return texts.length > 0 && texts.every((v) => number.test(v.trim()) && !/^[+-]?0\d/.test(v.trim()));
  });
  if (!numeric.some(Boolean)) return table;
  const cell = (v: Cell): Cell => (typeof v !== "string" ? v : v === "" ? null : v.toLowerCase() === "nan" ? NaN : Number(v));
  return { ...table, rows: table.rows.map((r) => r.map((v, c) => (numeric[c] ? cell(v) : v))) };
}

/** Row numbers in the order of a column: numbers by size, texts by the alphabet (10 after 9), empty ones last. */
export function order(rows: readonly Cell[][], column: number, descending: boolean): number[] {
  const empty = (c: Cell) => c === null || c === undefined || c === "" || (typeof c === "number" && Number.isNaN(c));
  const sign = descending ? -1 : 1;
  return rows
    .map((_, i) => i)
    .sort((a, b) => {
      const [u, v] = [rows[a]![column], rows[b]![column]];
      if (empty(u) || empty(v)) return Number(empty(u)) - Number(empty(v)) || a - b;
      const by =
        typeof u === "number" && typeof v === "number"
          ? u - v
          : String(u).localeCompare(String(v), "en", { numeric: true, sensitivity: "base" });
      return sign * by || a - b;
    });
}
