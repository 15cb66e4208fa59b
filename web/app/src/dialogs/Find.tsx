// SPDX-License-Identifier: Apache-2.0
import { fuzzySearch, type GraphDoc } from "@larmor/graph";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import * as actions from "../actions.ts";
import { StateIcon } from "../canvas/states.tsx";
import { commands } from "../shell/commands.ts";
import { shortcut } from "../shell/keys.ts";
import { useCatalogue, useGraph, useSession } from "../state/hooks.ts";
import { Dialog } from "../ui/Dialog.tsx";

interface Row {
  key: string;
  texts: string[];
  show: ReactNode;
  run: () => void;
}

function Chooser({ title, placeholder, rows, onClose, testid }: { title: string; placeholder: string; rows: Row[]; onClose: () => void; testid: string }) {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const found = useMemo(() => fuzzySearch(query, rows, (r) => r.texts).slice(0, 80), [query, rows]);
  useEffect(() => setAt(0), [query]);
  useEffect(() => void list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  const go = (r: Row | undefined) => {
    if (!r) return;
    onClose();
    r.run();
  };
  return (
    <Dialog title={title} onClose={onClose} width={520} testid={testid}>
      <input
        className="field"
        placeholder={placeholder}
        value={query}
        onChange={(e) => setQuery(e.target.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter") go(found[at]);
          if (e.key === "ArrowDown" || e.key === "ArrowUp") {
            e.preventDefault();
            setAt((i) => Math.max(0, Math.min(found.length - 1, i + (e.key === "ArrowDown" ? 1 : -1))));
          }
        }}
        data-testid={`${testid}-search`}
      />
      <div className="find-list" ref={list}>
        {found.map((r, i) => (
          <button key={r.key} className={"find-row" + (i === at ? " at" : "")} onPointerMove={() => setAt(i)} onClick={() => go(r)}>
            {r.show}
          </button>
        ))}
        {!found.length && <div className="empty">Nothing found</div>}
      </div>
    </Dialog>
  );
}

/** Nodes of the whole document, in sub-graphs too; by name, title, operation and settings. */
export function FindNode({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const doc = useGraph((s) => s.doc);
  const rows = useMemo(() => {
    const out: Row[] = [];
    const visit = (g: GraphDoc, scopes: GraphDoc[], prefix: string, depth: number) => {
      for (const [id, n] of Object.entries(g.nodes ?? {})) {
        const path = prefix + id;
        const title = n.title || (n.op ? (catalogue.ops.get(n.op)?.title ?? n.op) : (n.graph ?? id));
        out.push({
          key: path,
          texts: [title, path, n.op ?? n.graph ?? "", Object.entries(n.settings ?? {}).map(([k, v]) => `${k} ${String(v)}`).join(" "), n.note ?? ""],
          show: <><StateIcon state={session.reports.get(path)?.state ?? "idle"} /><span className="ellipsis">{title}</span><span className="keys mono">{path}</span></>,
          run: () => actions.reveal(session, path),
        });
        const inner = n.graph ? [g, ...scopes].map((s) => s.definitions?.[n.graph!]).find(Boolean) ?? catalogue.pipelines[n.graph] : undefined;
        if (inner && depth < 8) visit(inner, [g, ...scopes], path + "/", depth + 1);
      }
    };
    visit(doc, [], "", 0);
    return out;
  }, [doc, catalogue, session]);
  return <Chooser title="Find a node" placeholder="Name, operation or setting" rows={rows} onClose={onClose} testid="find" />;
}

/** Everything that can be done, by name. */
export function CommandList({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const rows = useMemo(() => commands.filter((c) => c.id !== "commands").map((c): Row => ({ key: c.id, texts: [c.title, c.section], show: <><span>{c.title}</span><span className="keys">{shortcut(c.id)}</span></>, run: () => setTimeout(() => void c.run(session)) })), [session]);
  return <Chooser title="Commands" placeholder="What to do" rows={rows} onClose={onClose} testid="commands" />;
}
