// SPDX-License-Identifier: Apache-2.0
import "./inspector.css";
import { changeComment, changeFrame, demote, equal, type GraphDoc, type GraphInput, type GraphOutput, isShipped, nodeView, put, removeGraphPort, renameGraphPort } from "@larmor/graph";
import { Boxes, FolderOpen, LayoutGrid, Play, Trash2, X } from "lucide-react";
import { useState } from "react";
import * as actions from "../actions.ts";
import { useCatalogue, useGraph, useLevel, useReports, useSession } from "../state/hooks.ts";
import { problemsOf } from "../dock/Problems.tsx";
import { Markdown } from "../ui/Markdown.tsx";
import { Control } from "./Control.tsx";
import { Fold } from "./Fold.tsx";
import { NodeInspector } from "./NodeInspector.tsx";

/** About what is chosen: a node, a note, several things, or the graph itself. */
export function Inspector() {
  const { nodes, comments, frames } = useGraph((s) => s.selected);
  const level = useLevel();
  const n = nodes.length + comments.length + frames.length;
  if (n > 1) return <Several n={n} nodes={nodes} />;
  if (nodes[0] && level.graph.nodes?.[nodes[0]]) return <NodeInspector key={level.path.join("/") + nodes[0]} id={nodes[0]} />;
  if (comments[0] && level.graph.comments?.[comments[0]]) return <NoteInspector kind="comment" id={comments[0]} />;
  if (frames[0] && level.graph.frames?.[frames[0]]) return <NoteInspector kind="frame" id={frames[0]} />;
  return <GraphInspector />;
}

function Several({ n, nodes }: { n: number; nodes: string[] }) {
  const session = useSession();
  return (
    <div className="inspector" data-testid="inspector">
      <div className="inspector-head">
        <strong style={{ fontSize: 15 }}>{n} chosen</strong>
        <div className="inspector-actions" style={{ flexWrap: "wrap" }}>
          <button className="button line small" disabled={!nodes.length} onClick={() => actions.runTo(session)}><Play size={12} /> Run to these</button>
          <button className="button line small" disabled={!nodes.length} onClick={() => actions.groupSelection(session)}><Boxes size={13} /> Group</button>
          <button className="button line small" onClick={() => void actions.autoLayout(session)}><LayoutGrid size={13} /> Lay out</button>
          <button className="button line small danger" onClick={() => actions.remove(session)}><Trash2 size={13} /> Delete</button>
        </div>
      </div>
      <Fold title="Mode">
        <div className="segmented">
          <button onClick={() => actions.toggleMode(session, "bypass")}>Bypass</button>
          <button onClick={() => actions.toggleMode(session, "freeze")}>Freeze</button>
          <button onClick={() => actions.toggleFolded(session)}>Fold</button>
        </div>
      </Fold>
    </div>
  );
}

const colours = ["", "#2a78c8", "#0f8b8d", "#5d7a3a", "#c77d0a", "#c8553d", "#a4489c"];
function NoteInspector({ kind, id }: { kind: "comment" | "frame"; id: string }) {
  const session = useSession();
  const level = useLevel();
  const item = kind === "comment" ? level.graph.comments![id]! : level.graph.frames![id]!;
  const colour = (c: string) => session.edit("colour", (g) => (kind === "comment" ? changeComment(g, id, { colour: c }) : changeFrame(g, id, { colour: c })));
  return (
    <div className="inspector" data-testid="inspector">
      <div className="inspector-head"><strong style={{ fontSize: 15 }}>{kind === "comment" ? "Comment" : "Frame"}</strong></div>
      <div className="fold-body inspector-block" style={{ paddingTop: 14 }}>
        {"text" in item ? (
          <textarea className="field" rows={9} key={item.text} defaultValue={item.text} placeholder="Markdown, with $TeX$" onBlur={(e) => e.target.value !== item.text && session.edit("edit comment", (g) => changeComment(g, id, { text: e.target.value }))} />
        ) : (
          <input className="field" key={item.title ?? ""} defaultValue={item.title ?? ""} placeholder="Title" onBlur={(e) => e.target.value !== (item.title ?? "") && session.edit("rename frame", (g) => changeFrame(g, id, { title: e.target.value.trim() }))} onKeyDown={(e) => e.key === "Enter" && e.currentTarget.blur()} />
        )}
        <div className="swatches" style={{ marginTop: 12 }}>
          {colours.map((c) => <button key={c} aria-pressed={(item.colour ?? "") === c} style={{ background: c || "var(--node)" }} title={c || "No colour"} onClick={() => colour(c)} />)}
        </div>
      </div>
    </div>
  );
}

/** The graph that is shown: what it is, its ports and the settings on its outside. */
function GraphInspector() {
  const session = useSession();
  const level = useLevel();
  const g = level.graph;
  const change = (key: "title" | "about", value: string) => session.edit(`edit ${key}`, (d) => put(d, key, value.trim() ? value : undefined));
  const n = Object.keys(g.nodes ?? {}).length;
  return (
    <div className="inspector" data-testid="inspector">
      <div className="inspector-head">
        <input className="inspector-title" key={level.pointer + (g.title ?? "")} defaultValue={g.title ?? ""} placeholder="Untitled" onBlur={(e) => e.target.value !== (g.title ?? "") && change("title", e.target.value)} onKeyDown={(e) => e.key === "Enter" && e.currentTarget.blur()} aria-label="Title of the graph" />
        <div className="inspector-sub">{n} {n === 1 ? "node" : "nodes"}, {Object.keys(g.wires ?? {}).length} wires</div>
      </div>
      {level.path.length === 0 && <Needs />}
      <Ends side="inputs" />
      {Object.keys(g.settings ?? {}).length > 0 && (
        <Fold title="Settings of the graph">
          {Object.entries(g.settings!).map(([name, p]) => <PromotedSetting key={name} name={name} node={p.node} setting={p.setting} title={p.title} />)}
        </Fold>
      )}
      <Ends side="outputs" />
      <Fold title="About">
        <About key={level.pointer} text={g.about ?? ""} fixed={isShipped(level)} onChange={(text) => change("about", text)} />
      </Fold>
    </div>
  );
}

/** The inputs or outputs of the graph that is shown; those that have to be given first. */
function Ends({ side }: { side: "inputs" | "outputs" }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const level = useLevel();
  const all = Object.entries<GraphInput & GraphOutput>(level.graph[side] ?? {}).sort(([, a], [, b]) => Number(a.required === false) - Number(b.required === false));
  if (!all.length) return null;
  return (
    <Fold title={side === "inputs" ? "Inputs" : "Outputs"}>
      {all.map(([name, p]) => (
        <div key={name}>
          <div className="list-row">
            <span className="port-dot" style={{ background: catalogue.colour(p.type) }} />
            <input className="field" key={name} defaultValue={name} aria-label={`Name of ${side === "inputs" ? "input" : "output"} ${name}`} onBlur={(e) => e.target.value.trim() && e.target.value !== name && session.editDocument("rename port", (doc: GraphDoc) => renameGraphPort(doc, session.level, side, name, e.target.value.trim()))} onKeyDown={(e) => e.key === "Enter" && e.currentTarget.blur()} />
            <span className="muted">{catalogue.typeTitle(p.type)}</span>
            {side === "inputs" && level.path.length === 0 && <button className="button icon small" title="Read it from a file" onClick={() => actions.feedInput(session, name)} data-testid={`feed-${name}`}><FolderOpen size={13} /></button>}
            <button className="button icon small" title="Remove" onClick={() => session.editDocument("remove port", (doc: GraphDoc) => removeGraphPort(doc, session.level, side, name))}><X size={13} /></button>
          </div>
          {p.what && <div className="list-what">{p.what}{side === "inputs" && p.required === false && " · optional"}</div>}
        </div>
      ))}
    </Fold>
  );
}

/** What a graph that is opened by itself waits for, with a way to give it: its inputs first, then what nodes say. */
function Needs() {
  const session = useSession();
  const issues = useGraph((s) => s.issues);
  const doc = useGraph((s) => s.doc);
  const reports = useReports();
  const inputs = Object.entries(doc.inputs ?? {}).filter(([, i]) => i.required !== false && i.to?.length);
  const others = problemsOf(issues, reports, doc).filter((p) => p.kind === "file" && !p.node.includes("/") && !inputs.some(([name]) => name === p.input));
  if (!inputs.length && !others.length) return null;
  const choose = (key: string, f: () => void) => <button className="button line small" onClick={f} data-testid={`graph-needs-${key}`}>Choose</button>;
  return (
    <div className="graph-needs" data-testid="graph-needs">
      <div className="graph-needs-head"><FolderOpen size={13} /> Needs a file</div>
      {inputs.map(([name, i]) => (
        <div className="graph-need" key={name}>
          <div><b>{name}</b><div className="advice">{i.what}</div></div>
          {choose(name, () => actions.feedInput(session, name))}
        </div>
      ))}
      {others.map((p) => (
        <div className="graph-need" key={`${p.node} ${p.text}`}>
          <div><b>{p.input ?? (doc.nodes?.[p.node]?.title || p.node)}</b><div className="advice">{[!p.input && p.text, p.advice].filter(Boolean).join("; ")}</div></div>
          {choose(p.input ?? p.node, () => (p.input ? actions.feedInput(session, p.input) : actions.chooseFile(session, p.node, p.port ?? "")))}
        </div>
      ))}
    </div>
  );
}

/** Read as text; a click changes it. */
function About({ text, fixed, onChange }: { text: string; fixed: boolean; onChange: (text: string) => void }) {
  const [editing, setEditing] = useState(false);
  if (text && !editing) {
    return (
      <div className="about" onClick={(e) => !fixed && !(e.target as Element).closest("a") && setEditing(true)} title={fixed ? undefined : "Click to change"} data-testid="about">
        <Markdown text={text} />
      </div>
    );
  }
  return (
    <textarea className="field" rows={8} autoFocus={editing} defaultValue={text} placeholder="What this graph does, in Markdown with $TeX$" readOnly={fixed} onBlur={(e) => { setEditing(false); if (e.target.value !== text) onChange(e.target.value); }} onKeyDown={(e) => e.key === "Enter" && (e.ctrlKey || e.metaKey) && e.currentTarget.blur()} data-testid="about-text" />
  );
}

function PromotedSetting({ name, node, setting, title }: { name: string; node: string; setting: string; title?: string }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const level = useLevel();
  const doc = level.graph.nodes?.[node];
  const info = doc && nodeView(level, node, catalogue).settings.find((s) => s.name === setting);
  return (
    <div className="setting">
      <div className="setting-head">
        <span className="setting-name" title={info?.what}>{title || name}</span>
        {(title || name) !== `${node}.${setting}` && <span className="muted mono ellipsis" style={{ fontSize: 11 }}>{node}.{setting}</span>}
        <button className="button icon small setting-menu" title="Take from the outside of the graph" onClick={() => session.edit("demote", (g) => demote(g, name))}><X size={13} /></button>
      </div>
      {info ? <Control setting={info} value={doc.settings?.[setting] ?? info.default ?? null} onChange={(v, gesture) => actions.changeSetting(session, node, setting, equal(v, info.default) ? undefined : v, gesture)} /> : <span className="muted">inside a group</span>}
    </div>
  );
}
