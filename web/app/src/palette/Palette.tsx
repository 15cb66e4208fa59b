// SPDX-License-Identifier: Apache-2.0
import { type Catalogue, fuzzySearch, isShipped, type OpInfo } from "@larmor/graph";
import { Boxes, ChevronRight, Code2, Search } from "lucide-react";
import { type ReactNode, useMemo, useRef, useState } from "react";
import * as actions from "../actions.ts";
import { useCatalogue, useLevel, useSession } from "../state/hooks.ts";
import { hideTooltip, showTooltip } from "../ui/Tooltip.tsx";

/** What an operation takes, gives and does, beside the palette. */
function Card({ op, catalogue }: { op: OpInfo; catalogue: Catalogue }) {
  const port = (p: { name: string; type: string }) => (
    <span key={p.name}>
      <span className="port-dot" style={{ background: catalogue.colour(p.type) }} />
      {p.name}
    </span>
  );
  return (
    <div className="op-card">
      <strong>{op.title}</strong> <span className="muted mono">{op.id}</span>
      <div>{op.does}</div>
      {op.inputs.length > 0 && <div className="op-ports"><span className="muted">In</span>{op.inputs.map(port)}</div>}
      {op.outputs.length > 0 && <div className="op-ports"><span className="muted">Out</span>{op.outputs.map(port)}</div>}
      {op.from && <div className="muted" style={{ marginTop: 6 }}>{op.from}</div>}
    </div>
  );
}

/** Groups that the document defines and graphs that come with the program: each can be used again, all share one definition. */
function Groups({ shipped }: { shipped: boolean }) {
  const level = useLevel();
  const session = useSession();
  const names = level.scopes.filter((s) => isShipped(s) === shipped).flatMap((s) => Object.entries(s.graph.definitions ?? {}));
  // A graph inside itself would never end.
  const inside = new Set(level.pointer.split("/").filter((_, i) => i % 2 === 0));
  const usable = names.filter(([name]) => !inside.has(name));
  if (!usable.length) return null;
  return (
    <div>
      <div className="palette-category">{shipped ? "Pipelines" : "Groups of this graph"} <span className="n">{usable.length}</span></div>
      {usable.map(([name, g]) => (
        <button key={name} className="palette-op" draggable title={g.about} onDragStart={(e) => e.dataTransfer.setData("application/x-larmor", JSON.stringify({ graph: name }))} onDoubleClick={() => actions.add(session, { graph: name }, middle(), { free: true })} data-testid={`palette-group-${name}`}>
          <Boxes size={13} style={{ marginLeft: 0 }} />
          <span className="ellipsis">{g.title || name}</span>
        </button>
      ))}
    </div>
  );
}

/** All operations, by category or by what is searched. Drag one onto the canvas or a wire, or press Enter. */
export function Palette() {
  const session = useSession();
  const catalogue = useCatalogue();
  const [query, setQuery] = useState("");
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set(["user"]));  // all others closed: two dozen headings can be read
  const list = useRef<HTMLDivElement>(null);
  const categories = useMemo(() => {
    const map = new Map<string, OpInfo[]>();
    for (const op of catalogue.ops.values()) map.set(catalogue.category(op), [...(map.get(catalogue.category(op)) ?? []), op]);
    for (const ops of map.values()) ops.sort((a, b) => a.title.localeCompare(b.title));
    return [...map].map(([name, ops]) => ({ name, title: catalogue.categoryTitle(name), ops })).sort((a, b) => a.title.localeCompare(b.title));
  }, [catalogue]);
  const found = useMemo(() => (query.trim() ? fuzzySearch(query, catalogue.ops.values(), (op) => [op.title, op.id, (op.tags ?? []).join(" "), op.does ?? ""]).slice(0, 80) : null), [query, catalogue]);

  const place = (op: OpInfo) => {
    hideTooltip();
    actions.add(session, { op: op.id }, middle(), { free: true });
  };
  const row = (op: OpInfo, flat: boolean): ReactNode => (
    <button
      key={op.id}
      className={"palette-op" + (flat ? " flat" : "")}
      draggable
      data-testid={`palette-${op.id}`}
      onDragStart={(e) => {
        hideTooltip();
        e.dataTransfer.setData("application/x-larmor", JSON.stringify({ op: op.id }));
        e.dataTransfer.effectAllowed = "copy";
      }}
      onDoubleClick={() => place(op)}
      onKeyDown={(e) => {
        if (e.key === "Enter") place(op);
        if (e.key === "ArrowDown" || e.key === "ArrowUp") {
          e.preventDefault();
          const all = [...(list.current?.querySelectorAll<HTMLElement>(".palette-op") ?? [])];
          all[all.indexOf(e.currentTarget) + (e.key === "ArrowDown" ? 1 : -1)]?.focus();
        }
      }}
      onPointerEnter={(e) => {
        const box = e.currentTarget.getBoundingClientRect();
        showTooltip(box.right + 10, box.top - 4, <Card op={op} catalogue={catalogue} />, 500);
      }}
      onPointerLeave={hideTooltip}
    >
      <span className="port-dot" style={{ background: catalogue.colour(op.outputs[0]?.type ?? op.inputs[0]?.type ?? "any") }} />
      <span className="ellipsis">{op.title}</span>
      {op.user && <Code2 size={13} aria-label="user operation" />}
    </button>
  );
  return (
    <>
      <div className="panel-head">
        <div className="search">
          <Search size={14} />
          <input
            className="field"
            placeholder={`Search ${catalogue.ops.size} operations`}
            value={query}
            onChange={(e) => setQuery(e.target.value)}
            onKeyDown={(e) => {
              if (e.key === "Escape") setQuery("");
              if (e.key === "Enter" && found?.[0]) place(found[0]);
              if (e.key === "ArrowDown") list.current?.querySelector<HTMLElement>(".palette-op")?.focus();
            }}
            data-testid="palette-search"
          />
        </div>
      </div>
      <div className="palette-list" ref={list} data-testid="palette">
        {found
          ? found.map((op) => row(op, true))
          : categories.map(({ name, title, ops }) => (
              <div key={name}>
                <button className={"palette-category" + (open.has(name) ? " open" : "")} aria-expanded={open.has(name)} onClick={() => setOpen((c) => (c.has(name) ? new Set([...c].filter((x) => x !== name)) : new Set([...c, name])))} data-testid={`category-${name}`}>
                  <ChevronRight size={13} /> {title} <span className="n">{ops.length}</span>
                </button>
                {open.has(name) && ops.map((op) => row(op, false))}
              </div>
            ))}
        {!found && <Groups shipped={false} />}
        {!found && <Groups shipped />}
        {found?.length === 0 && <div className="empty">Nothing called “{query}”</div>}
      </div>
    </>
  );
}

/** Under the pointer, or in the middle of the canvas. */
function middle(): [number, number] {
  const [x, y] = actions.theCanvas()?.place() ?? [0, 0];
  return [x - 90, y - 40];
}
