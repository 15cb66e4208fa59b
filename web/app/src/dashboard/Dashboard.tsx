// SPDX-License-Identifier: Apache-2.0
import "./dashboard.css";
import "../inspector/inspector.css";
import { addDashboard, addItem, changeDashboard, changeItem, type Dashboard as Doc, dashboardColumns, dashboardHeight, type DashboardItem, removeDashboard, reorderItem } from "@larmor/graph";
import { Columns3, ExternalLink, Grid3x3, Plus, Rows3, Trash2 } from "lucide-react";
import { type CSSProperties, type PointerEvent, useRef, useState } from "react";
import { useGraph, useSession } from "../state/hooks.ts";
import { Tile } from "./Tile.tsx";

const rowHeight = 64, gap = 5;

/** A page of settings and viewers of the graph. While it is edited, tiles move and grow on a grid of twelve columns. */
export function Dashboard({ name, readOnly = false }: { name: string; readOnly?: boolean }) {
  const session = useSession();
  const doc = useGraph((s) => s.doc.dashboards?.[name]);
  const [editing, setEditing] = useState(!readOnly && !(doc?.items?.length ?? 0));
  if (!doc) return <div className="empty">There is no dashboard “{name}” in this graph.</div>;
  const layout = doc.layout ?? "free";
  const change = (label: string, f: Parameters<typeof session.editDocument>[1]) => session.editDocument(label, f);
  return (
    <div className="dashboard" data-testid="dashboard">
      <div className="dashboard-bar">
        <input className="dashboard-title" size={Math.max(6, (doc.title ?? name).length)} key={doc.title} defaultValue={doc.title ?? name} readOnly={readOnly} onBlur={(e) => e.target.value.trim() && e.target.value !== doc.title && change("rename dashboard", (d) => changeDashboard(d, name, { title: e.target.value.trim() }))} aria-label="Title of the dashboard" />
        <span className="spacer" />
        {!readOnly && editing && (
          <>
            <div className="segmented" title="Layout">
              {([["free", Grid3x3], ["rows", Rows3], ["columns", Columns3]] as const).map(([key, Icon]) => (
                <button key={key} aria-pressed={layout === key} title={key} onClick={() => change("layout of dashboard", (d) => changeDashboard(d, name, { layout: key }))} data-testid={`layout-${key}`}><Icon size={14} /></button>
              ))}
            </div>
            <button className="button icon" title="Another dashboard" onClick={() => { let made = ""; change("add dashboard", (d) => { const r = addDashboard(d, "Dashboard"); made = r.name; return r.graph; }); if (made) session.setPage({ kind: "dashboard", name: made }); }}><Plus size={15} /></button>
            <button className="button icon danger" title="Delete this dashboard" onClick={() => change("delete dashboard", (d) => removeDashboard(d, name))}><Trash2 size={14} /></button>
          </>
        )}
        {!readOnly && (
          <>
            <a className="button icon" href={`/d/${session.id}/${encodeURIComponent(name)}`} target="_blank" rel="noreferrer" title="Open by itself, to read only" data-testid="open-alone"><ExternalLink size={15} /></a>
            <button className={"button line" + (editing ? " on" : "")} onClick={() => setEditing(!editing)} data-testid="edit-dashboard">{editing ? "Done" : "Edit"}</button>
          </>
        )}
      </div>
      <div className="dashboard-scroll">
        <Board name={name} doc={doc} editing={editing && !readOnly} readOnly={readOnly} />
      </div>
    </div>
  );
}

/** In rows and columns, what is small and follows each other stands together: settings and texts. */
export function strips(items: DashboardItem[]): number[][] {
  const out: number[][] = [];
  items.forEach((item, i) => {
    const last = out.at(-1);
    if (last && item.kind !== "viewer" && items[last[0]!]!.kind !== "viewer") last.push(i);
    else out.push([i]);
  });
  return out;
}

type Drag = { index: number; kind: "move" | "size"; x: number; y: number; item: DashboardItem; now: Partial<DashboardItem> };

function Board({ name, doc, editing, readOnly }: { name: string; doc: Doc; editing: boolean; readOnly: boolean }) {
  const session = useSession();
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag | null>(null);
  const [over, setOver] = useState(false);
  const items = doc.items ?? [];
  const layout = doc.layout ?? "free";
  const column = () => box.current!.clientWidth / dashboardColumns;
  const cell = (e: { clientX: number; clientY: number }) => {
    const r = box.current!.getBoundingClientRect();
    return { x: Math.floor((e.clientX - r.left) / column()), y: Math.floor((e.clientY - r.top) / rowHeight) };
  };
  const start = (e: PointerEvent, index: number, kind: Drag["kind"]) => {
    if (!editing || e.button !== 0 || (kind === "move" && (e.target as Element).closest("button, a, input, select, textarea, canvas, .tile-grip"))) return;
    if (kind === "move" && items[index]!.kind === "viewer" && !(e.target as Element).closest(".tile-head")) return;
    e.preventDefault();
    e.stopPropagation();
    (e.currentTarget as HTMLElement).setPointerCapture(e.pointerId);
    setDrag({ index, kind, x: e.clientX, y: e.clientY, item: items[index]!, now: {} });
  };
  const move = (e: PointerEvent) => {
    if (!drag) return;
    if (layout !== "free") {
      if (drag.kind === "size") return setDrag({ ...drag, now: { h: Math.max(1, Math.round((drag.item.h ?? 4) + (e.clientY - drag.y) / rowHeight)) } });
      const tiles = [...box.current!.querySelectorAll(".tile")];
      const to = tiles.findIndex((t) => {
        const r = t.getBoundingClientRect();
        return layout === "rows" ? e.clientY < r.top + r.height / 2 : e.clientX < r.left + r.width / 2;
      });
      return setDrag({ ...drag, now: { x: to < 0 ? items.length - 1 : to > drag.index ? to - 1 : to } });
    }
    const dx = Math.round((e.clientX - drag.x) / column()), dy = Math.round((e.clientY - drag.y) / rowHeight);
    const { x = 0, y = 0, w = 1, h = 1 } = drag.item;
    setDrag({ ...drag, now: drag.kind === "move" ? { x: Math.max(0, Math.min(dashboardColumns - w, x + dx)), y: Math.max(0, y + dy) } : { w: Math.max(1, Math.min(dashboardColumns - x, w + dx)), h: Math.max(1, h + dy) } });
  };
  const end = () => {
    if (drag && Object.keys(drag.now).length) {
      if (layout !== "free" && drag.kind === "move") session.editDocument("move on dashboard", (d) => reorderItem(d, name, drag.index, drag.now.x!));
      else session.editDocument(drag.kind === "move" ? "move on dashboard" : "resize on dashboard", (d) => changeItem(d, name, drag.index, drag.now));
    }
    setDrag(null);
  };
  const height = Math.max(dashboardHeight(items), drag && layout === "free" ? (drag.now.y ?? drag.item.y ?? 0) + (drag.now.h ?? drag.item.h ?? 1) : 0);
  const place = (item: DashboardItem, i: number): CSSProperties => {
    const it = drag?.index === i && (layout === "free" || drag.kind === "size") ? { ...item, ...drag.now } : item;
    const small = it.kind === "setting" ? 1 : it.kind === "text" ? 2 : 6;
    if (layout === "rows") return { height: (it.h ?? small) * rowHeight - 2 * gap };
    if (layout === "columns") return it.kind === "viewer" ? {} : { height: it.kind === "setting" ? rowHeight - 2 * gap : undefined };
    const part = (n: number) => `${(100 * n) / dashboardColumns}%`;
    return { left: `calc(${part(it.x ?? 0)} + ${gap}px)`, top: (it.y ?? 0) * rowHeight + gap, width: `calc(${part(it.w ?? 1)} - ${2 * gap}px)`, height: (it.h ?? 1) * rowHeight - 2 * gap };
  };
  const tile = (i: number) => {
    const item = items[i]!;
    return (
      <div key={`${i} ${item.kind} ${item.port ?? ""}${item.node ?? ""}${item.setting ?? ""}`} className={`tile ${item.kind}${drag?.index === i ? " held" : ""}`} style={place(item, i)} onPointerDown={(e) => start(e, i, "move")} data-testid={`tile-${i}`}>
        <Tile dashboard={name} index={i} item={item} editing={editing} readOnly={readOnly} />
        {editing && layout !== "columns" && <div className="tile-grip" onPointerDown={(e) => start(e, i, "size")} />}
      </div>
    );
  };
  return (
    <div
      ref={box}
      className={`board ${layout}${editing ? " editing" : ""}${over ? " over" : ""}`}
      style={layout === "free" ? { height: Math.max(1, height + (editing ? 3 : 0)) * rowHeight } : undefined}
      onPointerMove={move}
      onPointerUp={end}
      onDragOver={(e) => {
        if (!editing || !e.dataTransfer.types.includes("application/x-larmor-item")) return;
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        setOver(false);
        const text = e.dataTransfer.getData("application/x-larmor-item");
        if (!text) return;
        e.preventDefault();
        const item = JSON.parse(text) as DashboardItem;
        session.editDocument("add to dashboard", (d) => addItem(d, name, layout === "free" ? { ...item, ...cell(e) } : item));
      }}
      data-testid="board"
    >
      {layout === "free"
        ? items.map((_, i) => tile(i))
        : strips(items).map((strip) => <div key={strip[0]} className={"board-strip" + (items[strip[0]!]!.kind === "viewer" ? "" : " small")}>{strip.map(tile)}</div>)}
      {!items.length && <div className="empty" style={{ minHeight: 240 }}>{readOnly ? "This dashboard is empty." : "Drag settings and values here from the list on the left, or add them from the canvas."}</div>}
    </div>
  );
}
