// SPDX-License-Identifier: Apache-2.0
import { type DashboardItem, fuzzySearch, nodeView } from "@larmor/graph";
import { Eye, Search, SlidersHorizontal, Type } from "lucide-react";
import { useMemo, useState } from "react";
import * as actions from "../actions.ts";
import { useCatalogue, useGraph, useSession } from "../state/hooks.ts";
import { topLevel } from "@larmor/graph";

/** What can be put on a dashboard: settings and values of every node. Drag, or click. */
export function Things({ dashboard }: { dashboard: string }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const doc = useGraph((s) => s.doc);
  const [query, setQuery] = useState("");
  const nodes = useMemo(() => {
    const level = topLevel(doc, catalogue.pipelines);
    return Object.keys(doc.nodes ?? {}).map((id) => ({ id, view: nodeView(level, id, catalogue) }));
  }, [doc, catalogue]);
  const found = query.trim() ? fuzzySearch(query, nodes, (n) => [n.view.title, n.id, [...n.view.settings, ...n.view.outputs].map((x) => x.name).join(" ")]) : nodes;
  const row = (key: string, icon: React.ReactNode, text: string, item: DashboardItem) => (
    <button key={key} className="palette-op" draggable onDragStart={(e) => e.dataTransfer.setData("application/x-larmor-item", JSON.stringify(item))} onClick={() => actions.toDashboard(session, dashboard, item)} data-testid={`thing-${key}`}>
      {icon}
      <span className="ellipsis">{text}</span>
    </button>
  );
  const icon = (i: React.ReactNode) => <span style={{ display: "inline-flex", color: "var(--faint)" }}>{i}</span>;
  return (
    <>
      <div className="panel-head">
        <div className="search">
          <Search size={14} />
          <input className="field" placeholder="Settings and values" value={query} onChange={(e) => setQuery(e.target.value)} />
        </div>
      </div>
      <div className="palette-list">
        {row("text", icon(<Type size={14} />), "Text", { kind: "text", markdown: "Text in **Markdown**, with $TeX$" })}
        {found.map(({ id, view }) => (
          <div key={id}>
            <div className="things-node ellipsis">{view.title}</div>
            {view.outputs.map((p) => row(`${id}.${p.name}`, <span className="port-dot" style={{ background: catalogue.colour(p.type) }} title="value" />, p.name, { kind: "viewer", port: `${id}.${p.name}` }))}
            {view.settings.map((s) => row(`${id}:${s.name}`, icon(<SlidersHorizontal size={13} />), s.name, { kind: "setting", node: id, setting: s.name }))}
          </div>
        ))}
        {!found.length && <div className="empty"><Eye size={18} />Nothing found</div>}
      </div>
    </>
  );
}
