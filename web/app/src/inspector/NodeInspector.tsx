// SPDX-License-Identifier: Apache-2.0
import { format, type Issue, type NodeReport, nodeView, type Policy, renameNode, resetSettings, setNote, setPolicy, setTitle } from "@larmor/graph";
import { BookOpen, FolderOpen, LayoutDashboard, LogIn, OctagonX, Play, RotateCcw, TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import * as actions from "../actions.ts";
import { StateIcon, stateLook, useLook } from "../canvas/states.tsx";
import { showDock } from "../state/app.ts";
import { useCatalogue, useLevel, useSession } from "../state/hooks.ts";
import { Markdown } from "../ui/Markdown.tsx";
import { MenuButton } from "../ui/Menu.tsx";
import { SourceLink } from "../ui/SourceLink.tsx";
import { Behaviour, LoopForm } from "./Behaviour.tsx";
import { Fold } from "./Fold.tsx";
import { Setting } from "./Setting.tsx";
import { useForm } from "./useForm.ts";

const policies: [Policy, string][] = [["automatic", "Automatic"], ["keep", "Keep"], ["free", "Free after use"], ["spill", "To disk"], ["recompute", "Recompute"]];

/** The chosen node: its settings, how it runs, what came out, and its help. */
export function NodeInspector({ id }: { id: string }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const level = useLevel();
  const path = session.pathOf(id);
  const doc = level.graph.nodes![id]!;
  const view = useMemo(() => nodeView(level, id, catalogue), [level, id, catalogue]);
  const { report, missing, input, look: state } = useLook(path);
  const form = useForm(path, view, doc);
  const shown = form.settings.filter((s) => !form.hidden.includes(s.name));
  const kept = view.kind === "broken" ? Object.entries(doc.settings ?? {}) : [];
  return (
    <div className="inspector" data-testid="inspector">
      <div className="inspector-head">
        <input className="inspector-title" key={doc.title ?? ""} defaultValue={doc.title ?? ""} placeholder={view.title} onBlur={(e) => e.target.value !== (doc.title ?? "") && session.edit("rename", (g) => setTitle(g, id, e.target.value))} onKeyDown={(e) => e.key === "Enter" && e.currentTarget.blur()} aria-label="Title" data-testid="node-title" />
        <div className="inspector-sub">
          <StateIcon state={state} />
          <span style={{ color: stateLook[state].colour }}>{stateLook[state].word}</span>
          {report?.seconds && state !== "needs" ? <span className="num">{format.seconds(report.seconds)}</span> : null}
          <span>·</span>
          <NodeId id={id} />
        </div>
        {view.does && (view.kind === "graph" ? <Markdown text={view.does} className="inspector-does" /> : <div className="inspector-does">{view.does}</div>)}
        <div className="inspector-actions">
          <button className="button line small" onClick={() => actions.runTo(session, [id])} data-testid="run-to"><Play size={12} /> Run to here</button>
          {view.enterable && <button className="button line small" onClick={() => actions.enterNode(session, id)} data-testid="enter"><LogIn size={13} /> Open</button>}
          {shown.length > 0 && (doc.settings || doc.sweeps) && <button className="button small" onClick={() => session.edit("reset settings", (g) => resetSettings(g, id))}><RotateCcw size={12} /> Reset all</button>}
        </div>
      </div>
      <Messages report={report} problem={view.problem} warnings={form.warnings} missing={state !== "needs" ? undefined : (missing ?? input)} />
      {kept.length > 0 && (
        <Fold title="Settings that are kept">
          <dl className="kept" data-testid="kept">
            {kept.map(([name, value]) => <div key={name}><dt>{name}</dt><dd className="mono">{typeof value === "string" ? value : JSON.stringify(value)}</dd></div>)}
          </dl>
        </Fold>
      )}
      {shown.length > 0 && (
        <Fold title="Settings">
          {shown.map((s) => <Setting key={s.name} id={id} doc={doc} setting={s} />)}
        </Fold>
      )}
      {view.outputs.length > 0 && (
        <Fold title="Outputs">
          {view.outputs.map((p) => {
            const value = report?.outputs?.[p.name];
            const port = `${path}.${p.name}`;
            return (
              <div className="output" key={p.name}>
                <div className="output-head">
                  <span className="port-dot" style={{ background: catalogue.colour(p.type) }} />
                  <button className="button small" style={{ paddingInline: 3, color: "var(--text)" }} title="Probe" onClick={() => { session.probe(port); showDock("probe"); }} data-testid={`probe-${p.name}`}>{p.name}</button>
                  <span className="muted">{catalogue.typeTitle(p.type)}</span>
                  <select className="field" title="What happens with the value once it was used" aria-label={`What happens with ${p.name} once it was used`} value={doc.policy?.[p.name] ?? "automatic"} onChange={(e) => session.edit("set policy", (g) => setPolicy(g, id, p.name, e.target.value as Policy))} data-testid={`policy-${p.name}`}>
                    {policies.map(([key, title]) => <option key={key} value={key}>{title}</option>)}
                  </select>
                  <MenuButton className="button icon small" title="Add to dashboard" entries={() => actions.dashboardEntries(session, { kind: "viewer", port })}><LayoutDashboard size={13} /></MenuButton>
                </div>
                <div className="output-text">{value?.describe ? <>{format.about(value.describe)}{value.bytes ? <span className="num"> · {format.bytes(value.bytes)}{value.resident === false ? " on disk" : ""}</span> : null}</> : p.what || "no value yet"}</div>
              </div>
            );
          })}
        </Fold>
      )}
      {view.kind === "graph" && <Fold title="Loop" start={!!doc.loop}><LoopForm id={id} doc={doc} view={view} /></Fold>}
      <Fold title="How it runs" start={!!(doc.mode || doc.map)}><Behaviour id={id} doc={doc} view={view} /></Fold>
      <Fold title="Note" start={!!doc.note}>
        <textarea className="field" rows={3} key={doc.note ?? ""} defaultValue={doc.note ?? ""} placeholder="Markdown, with $TeX$" onBlur={(e) => e.target.value !== (doc.note ?? "") && session.edit("edit note", (g) => setNote(g, id, e.target.value))} />
      </Fold>
      {view.op && (view.op.help || view.op.from) && (
        <Fold title="Help">
          {view.op.help && <Markdown text={view.op.help} />}
          {view.op.from && <p className="setting-what" style={{ marginTop: 8 }}><BookOpen size={12} style={{ verticalAlign: -2 }} /> {view.op.from}</p>}
        </Fold>
      )}
    </div>
  );
}

/** The name that wires and the command line use; a click changes it. */
function NodeId({ id }: { id: string }) {
  const session = useSession();
  return (
    <input
      className="mono"
      style={{ border: 0, background: "none", padding: 0, width: `${id.length + 1}ch`, color: "var(--muted)", minWidth: 40 }}
      key={id}
      defaultValue={id}
      title="Name of the node in files, on the command line and in --set"
      aria-label="Name of the node in files"
      onBlur={(e) => {
        if (e.target.value === id || !e.target.value.trim()) return void (e.target.value = id);
        let made = id;
        session.edit("rename node", (g) => {
          const r = renameNode(g, id, e.target.value.trim());
          made = r.id;
          return r.graph;
        });
        session.select({ nodes: [made] });
      }}
      onKeyDown={(e) => e.key === "Enter" && e.currentTarget.blur()}
      data-testid="node-id"
    />
  );
}

function Messages({ report, problem, warnings, missing }: { report?: NodeReport; problem?: string; warnings: string[]; missing?: Pick<Issue, "message" | "advice"> }) {
  const all = [...warnings, ...(report?.state === "idle" ? [] : (report?.warnings ?? []))];
  const error = problem ?? (report?.state === "error" && !missing ? report.error : "");
  return (
    <>
      {missing && (
        <div className="message" data-testid="needs-file">
          <FolderOpen size={14} />
          <div>
            {missing.message}
            {missing.advice && <div className="advice">{missing.advice}</div>}
          </div>
        </div>
      )}
      {error && (
        <div className="message error" data-testid="node-error">
          <OctagonX size={14} />
          <div>
            {error}
            {report?.error_at && <> <SourceLink op={report.op ?? ""} at={report.error_at} /></>}
            {report?.advice && <div className="advice">{report.advice}</div>}
            {report?.log && <pre>{report.log}</pre>}
          </div>
        </div>
      )}
      {all.map((w, i) => (
        <div className="message warning" key={i}>
          <TriangleAlert size={14} />
          <div>{w}</div>
        </div>
      ))}
    </>
  );
}
