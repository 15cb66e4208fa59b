// SPDX-License-Identifier: Apache-2.0

export type Cell = string | number | boolean | null | undefined;

/** RFC 4180 text: CRLF, fields with a comma, quote or line break are quoted. NaN is an empty field. */
export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [header, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

/**
 * A text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers.
 */
function field(cell: Cell): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number") return Number.isNaN(cell) ? "" : String(cell);
  if (typeof cell === "boolean") return cell ? "true" : "false";
  const safe = /^[=+\-@\t\r]/.test(cell) && !Number.isFinite(Number(cell)) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Columns of different lengths side by side. */
export function columnsCsv(names: readonly string[], columns: readonly ArrayLike<number>[]): string {
  const n = columns.reduce((most, c) => Math.max(most, c.length), 0);
  const rows = Array.from({ length: n }, (_, i) => columns.map((c) => c[i]));
  return csv(names, rows);
}
