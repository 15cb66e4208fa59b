// SPDX-License-Identifier: Apache-2.0
import { ArrowDown, ArrowUp, Download } from "lucide-react";
import { useMemo, useRef, useState, type ReactNode } from "react";
import { isLeaf, isRecord, leaves } from "../api/tree.ts";
import { messages, ViewerError } from "../errors.ts";
import { useLoaded, useSize } from "../hooks/data.ts";
import { useOptions } from "../hooks/store.ts";
import { csv, type Cell } from "../maths/csv.ts";
import { partOf } from "../maths/parts.ts";
import { short } from "../maths/window.ts";
import { IconButton, Message, Waiting } from "../ui/kit.tsx";
import { fileName, saveText } from "../ui/save.ts";
import type { InnerProps } from "../viewers.ts";
import { order, parseCsv, tableOf, treeRows, withNumbers, type Table } from "./rows.ts";

interface TableOptions {
  sort?: { column: string; descending: boolean } | null;
}
const rowHeight = 24;
const most = 512; // columns of a 2-D array

/** Rows and columns; only the rows in view are in the document. */
export default function TableViewer(p: InnerProps): ReactNode {
  const { client, port, info } = p;
  const got = useLoaded(`${port} ${info.hash} table`, async (signal): Promise<Table | null> => {
    const value = info.value;
    const leaf = isLeaf(value) ? value : null;
    if (leaf) {
      const axes = leaf.axes.slice(0, 2);
      const columns = leaf.shape[1] ?? 1;
      const range = columns > most ? { [axes[1]!]: [0, most] as [number, number] } : undefined;
      const a = await client.array(port, info.hash, { path: leaf.path, axes, range }, signal);
      const [n, m] = [a.shape[0] ?? 1, a.shape[1] ?? 1];
      const cell = (i: number, j: number): Cell => {
        const k = j * n + i;
        if (!a.complex) return a.data[k]!;
        const [re, im] = [a.data[2 * k]!, a.data[2 * k + 1]!];
        return `${short(re)} ${im < 0 ? "−" : "+"} ${short(Math.abs(im))}i`;
      };
      const names = axes[1] === undefined ? ["value"] : Array.from({ length: m }, (_, j) => `${axes[1]} ${j}`);
      return {
        columns: [axes[0] ?? "#", ...names],
        rows: Array.from({ length: n }, (_, i) => [i, ...Array.from({ length: m }, (_, j) => cell(i, j))]),
      };
    }
    if (isRecord(value) && Array.isArray(value["rows"]) && value["rows"].length >= treeRows) {
      const [columns, ...rows] = parseCsv(await (await client.download(port, "csv")).text());
      return withNumbers({ columns: columns ?? [], rows });
    }
    const fetched: Record<string, number[]> = {};
    for (const l of leaves(value)) {
      if (l.shape.filter((n) => n > 1).length > 1) continue;
      const a = await client.array(port, info.hash, { path: l.path, axes: l.axes }, signal);
      fetched[l.path] = a.complex
        ? Array.from({ length: a.data.length / 2 }, (_, i) => partOf(a.data[2 * i]!, a.data[2 * i + 1]!, "abs"))
        : Array.from(a.data as Float32Array);
    }
    const table = tableOf(value, fetched);
    return table && withNumbers(table);
  });
  if (got.error) return <Message error={got.error} />;
  if (got.loading && !got.data) return <Waiting />;
  if (!got.data) return <Message error={new ViewerError(messages.noArray(info.type))} />;
  return <Grid {...p} table={got.data} />;
}

function Grid({ table, ...p }: InnerProps & { table: Table }): ReactNode {
  const [options, change] = useOptions<TableOptions>(p.options, p.onOptions);
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const [top, setTop] = useState(0);
  const sort = options.sort ?? null;
  const column = sort ? table.columns.indexOf(sort.column) : -1;
  const rows = useMemo(
    () => (column < 0 ? table.rows.map((_, i) => i) : order(table.rows, column, sort?.descending ?? false)),
    [table, column, sort?.descending],
  );
  const numeric = useMemo(
    () => table.columns.map((_, c) => table.rows.some((r) => typeof r[c] === "number") && table.rows.every((r) => r[c] === null || r[c] === undefined || typeof r[c] === "number")),
    [table],
  );
  const first = Math.max(0, Math.floor(top / rowHeight) - 8);
  const last = Math.min(rows.length, Math.ceil((top + size.height) / rowHeight) + 8);
  return (
    <div className={`lmv lmv-table${p.plain ? " lmv-plain" : ""}`}>
      {!p.plain && (
        <div className="lmv-toolbar">
          <span className="lmv-muted">
            {table.rows.length.toLocaleString("en")} rows, {table.columns.length} columns
          </span>
          <span className="lmv-space" />
          <IconButton
            icon={Download}
            title="Save as CSV, in this order"
            onClick={() => saveText(csv(table.columns, rows.map((i) => table.rows[i]!)), fileName(p.port, "csv"))}
          />
        </div>
      )}
      <div className="lmv-scroll" ref={box} tabIndex={0} role="region" aria-label={p.title ?? "Table"} onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
        <table aria-rowcount={rows.length}>
          <thead>
            <tr>
              {table.columns.map((name, c) => (
                <th
                  key={c}
                  className={numeric[c] ? "lmv-number" : ""}
                  aria-sort={column === c ? (sort!.descending ? "descending" : "ascending") : "none"}
                >
                  <button
                    type="button"
                    title="Sort"
                    onClick={() =>
                      change({ sort: column !== c ? { column: name, descending: false } : sort!.descending ? null : { column: name, descending: true } })
                    }
                  >
                    {name}
                    {column === c && (sort!.descending ? <ArrowDown size={11} /> : <ArrowUp size={11} />)}
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {first > 0 && (
              <tr aria-hidden style={{ height: first * rowHeight }}>
                <td colSpan={table.columns.length} />
              </tr>
            )}
            {rows.slice(first, last).map((i, n) => (
              <tr key={i} aria-rowindex={first + n + 1} style={{ height: rowHeight }}>
                {table.rows[i]!.map((cell, c) => (
                  <td key={c} className={numeric[c] ? "lmv-number" : ""} title={typeof cell === "string" && cell.length > 40 ? cell.slice(0, 2000) : undefined}>
                    {typeof cell === "number" ? short(cell, 6) : String(cell ?? "")}
                  </td>
                ))}
              </tr>
            ))}
            {last < rows.length && (
              <tr aria-hidden style={{ height: (rows.length - last) * rowHeight }}>
                <td colSpan={table.columns.length} />
              </tr>
            )}
          </tbody>
        </table>
      </div>
    </div>
  );
}
