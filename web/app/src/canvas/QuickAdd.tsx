// SPDX-License-Identifier: Apache-2.0
import { fuzzySearch, type Held, offers, type OpInfo, type PortInfo } from "@larmor/graph";
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import { createPortal } from "react-dom";
import { useCatalogue } from "../state/hooks.ts";
import { usePlaced } from "../ui/Menu.tsx";

export interface QuickAddAt {
  x: number;
  y: number;
  held?: Held;
}
interface Row {
  key: string;
  title: string;
  sub: string;
  does: string;
  colour: string;
  what: { op: string } | { graph: string };
  port?: PortInfo;
}

/** Search for an operation at a point of the canvas. With a wire in the hand, only those that could take it. */
export function QuickAdd({ at, onPick, onClose }: { at: QuickAddAt; onPick: (what: { op: string } | { graph: string }, port?: PortInfo) => void; onClose: () => void }) {
  const catalogue = useCatalogue();
  const [query, setQuery] = useState("");
  const [index, setIndex] = useState(0);
  const { ref, style } = usePlaced(at.x, at.y);
  const list = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => {
    const row = (op: OpInfo, port?: PortInfo): Row => ({ key: op.id, title: op.title, sub: port ? `${port.name}: ${catalogue.typeTitle(port.type).toLowerCase()}` : catalogue.categoryTitle(catalogue.category(op)), does: op.does ?? "", colour: catalogue.colour(op.outputs[0]?.type ?? op.inputs[0]?.type ?? "any"), what: { op: op.id }, port });
    const all: Row[] = at.held ? offers(catalogue, at.held).map((o) => row(o.op, o.port)) : [...catalogue.ops.values()].map((op) => row(op));
    // Graphs that come with the program stand beside operations.
    for (const [name, g] of Object.entries(catalogue.pipelines)) {
      const held = at.held;
      const inputs = Object.entries(g.inputs ?? {}), outputs = Object.entries(g.outputs ?? {});
      const found = held && (held.side === "out" ? inputs.find(([, p]) => catalogue.accepts(p.type, held.type)) : outputs.find(([, p]) => catalogue.accepts(held.type, p.type)));
      if (held && !found) continue;
      const port = found && { name: found[0], type: found[1].type };
      all.push({ key: `graph:${name}`, title: g.title || name, sub: port ? `${port.name}: ${catalogue.typeTitle(port.type).toLowerCase()}` : "Pipeline", does: g.about ?? "", colour: catalogue.colour(outputs[0]?.[1].type ?? inputs[0]?.[1].type ?? "any"), what: { graph: name }, port });
    }
    const op = (r: Row) => ("op" in r.what ? catalogue.ops.get(r.what.op)! : null);
    return fuzzySearch(query, all, (r) => [r.title, r.key, (op(r)?.tags ?? []).join(" "), r.does]);
  }, [catalogue, at.held, query]);
  useEffect(() => setIndex(0), [query]);
  useEffect(() => void list.current?.children[index]?.scrollIntoView({ block: "nearest" }), [index]);
  useEffect(() => {
    const away = (e: PointerEvent) => {
      if (!ref.current?.contains(e.target as Node)) onClose();
    };
    addEventListener("pointerdown", away, true);
    return () => removeEventListener("pointerdown", away, true);
  }, [onClose, ref]);
  const pick = (r: Row | undefined) => r && onPick(r.what, r.port);
  const keys = (e: KeyboardEvent) => {
    e.stopPropagation();
    if (e.key === "Escape") onClose();
    else if (e.key === "Enter") pick(rows[index]);
    else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      setIndex((i) => Math.max(0, Math.min(rows.length - 1, i + (e.key === "ArrowDown" ? 1 : -1))));
    }
  };
  return createPortal(
    <div className="menu quick-add" ref={ref} style={style} onKeyDown={keys} data-testid="quick-add">
      <input className="field" autoFocus placeholder={at.held ? `What takes ${at.held.side === "out" ? "" : "or gives "}${catalogue.typeTitle(at.held.type).toLowerCase()}…` : "Add operation…"} value={query} onChange={(e) => setQuery(e.target.value)} data-testid="quick-add-search" />
      <div className="quick-add-list" ref={list} role="listbox">
        {rows.map((r, i) => (
          <button key={r.key} className={"quick-add-row" + (i === index ? " at" : "")} role="option" aria-selected={i === index} onPointerMove={() => setIndex(i)} onClick={() => pick(r)} data-testid={`quick-add-${r.key}`}>
            <span className="port-dot" style={{ background: r.colour }} />
            <span className="ellipsis">{r.title}</span>
            <span className="muted ellipsis quick-add-sub">{r.sub}</span>
          </button>
        ))}
        {rows.length === 0 && <div className="muted quick-add-none">Nothing fits</div>}
      </div>
      {rows[index]?.does && <div className="quick-add-does">{rows[index].does}</div>}
    </div>,
    document.body,
  );
}
