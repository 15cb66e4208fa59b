// SPDX-License-Identifier: Apache-2.0
import { compareRuns, format, profileRows, type ProfileRow, type RunReport, type RunSummary, timeline } from "@larmor/graph";
import { Timer } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import * as actions from "../actions.ts";
import { StateIcon, stateLook } from "../canvas/states.tsx";
import { say } from "../errors.ts";
import { tell } from "../state/app.ts";
import { useApi, useGraph, useSession } from "../state/hooks.ts";

function useRuns() {
  const api = useApi(), session = useSession(), finished = useGraph((s) => s.runs);
  const [runs, setRuns] = useState<RunSummary[]>([]);
  useEffect(() => {
    let live = true;
    api.json<RunSummary[] | { runs: RunSummary[] }>(`/api/graphs/${session.id}/runs`).then((r) => live && setRuns(Array.isArray(r) ? r : r.runs)).catch((e: unknown) => tell(say(e), "error"));
    return () => void (live = false);
  }, [api, session, finished]);
  return runs;
}
function useRun(run: number | null): RunReport | null {
  const api = useApi(), session = useSession();
  const [report, setReport] = useState<{ run: number; report: RunReport } | null>(null);
  useEffect(() => {
    if (run === null) return;
    let live = true;
    api.json<RunReport>(`/api/graphs/${session.id}/runs/${run}`).then((r) => live && setReport({ run, report: r })).catch((e: unknown) => tell(say(e), "error"));
    return () => void (live = false);
  }, [api, session, run]);
  return run !== null && report?.run === run ? report.report : null;
}

/** Where the time and the memory of a run went; two runs beside each other. */
export default function Profiler() {
  const runs = useRuns();
  const [chosen, setChosen] = useState<number | null>(null);
  const [other, setOther] = useState<number | null>(null);
  const last = runs.at(-1)?.run ?? null;
  const current = chosen !== null && runs.some((r) => r.run === chosen) ? chosen : last;
  const report = useRun(current), before = useRun(other);
  if (current === null) {
    return (
      <div className="empty">
        <Timer size={20} />
        <span>No runs yet</span>
      </div>
    );
  }
  const option = (r: RunSummary) => <option key={r.run} value={r.run}>Run {r.run}: {r.state}, {format.seconds(r.seconds ?? NaN)}</option>;
  const hits = report ? Object.values(report.nodes).filter((n) => n.state === "cached").length : 0;
  return (
    <div className="profiler" data-testid="profiler">
      <div className="profiler-head">
        <select className="field" aria-label="Run" value={current} onChange={(e) => setChosen(Number(e.target.value) === last ? null : Number(e.target.value))} data-testid="profiler-run">{[...runs].reverse().map(option)}</select>
        <span className="muted">compared with</span>
        <select className="field" aria-label="Run to compare with" value={other ?? ""} onChange={(e) => setOther(e.target.value ? Number(e.target.value) : null)} data-testid="profiler-compare">
          <option value="">none</option>
          {[...runs].reverse().filter((r) => r.run !== current).map(option)}
        </select>
        <span className="spacer" />
        {report && <span className="muted num">{format.seconds(report.seconds)} · {report.ran ?? 0} ran · {hits} cached{report.failed ? ` · ${report.failed} failed` : ""} · peak {format.bytes(report.peak_bytes ?? 0)}</span>}
      </div>
      <div className="profiler-scroll">
        {report && (before ? <Comparison a={before} b={report} /> : <><Timeline report={report} /><Rows report={report} /></>)}
      </div>
    </div>
  );
}

/** A round distance of ticks that gives about six. */
function tick(end: number): number {
  const raw = end / 6, base = Math.pow(10, Math.floor(Math.log10(raw)));
  return [1, 2, 5, 10].map((k) => k * base).find((t) => t >= raw)!;
}

function Timeline({ report }: { report: RunReport }) {
  const session = useSession();
  const { bars, lanes, end } = useMemo(() => timeline(report), [report]);
  if (!bars.length) return <p className="muted" style={{ margin: "6px 0 12px" }}>Nothing had to run: every result was there.</p>;
  const step = tick(end), ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
  return (
    <div className="timeline" style={{ height: lanes * 21 + 22 }} data-testid="timeline">
      {ticks.map((t) => <div key={t} className="timeline-tick" style={{ left: `${(100 * t) / end}%` }}><span>{format.seconds(t)}</span></div>)}
      {bars.map((b) => (
        <button key={b.path} className="timeline-bar" style={{ left: `${(100 * b.start) / end}%`, width: `max(3px, ${(100 * b.seconds) / end}%)`, top: b.lane * 21 + 3, ["--state" as string]: stateLook[b.state].colour }} title={`${b.path}: ${format.seconds(b.seconds)} from ${format.seconds(b.start)}`} onClick={() => actions.reveal(session, b.path)}>
          {b.path}
        </button>
      ))}
    </div>
  );
}

type Column = { key: keyof ProfileRow; title: string; show: (r: ProfileRow) => React.ReactNode };
const columns: Column[] = [
  { key: "path", title: "Node", show: (r) => r.path },
  { key: "seconds", title: "Time", show: (r) => (r.seconds ? <><span className="share"><span style={{ width: `${100 * r.share}%` }} /></span>{format.seconds(r.seconds)}</> : "–") },
  { key: "mean", title: "Mean ± sd", show: (r) => (r.mean ? format.seconds(r.mean) + (r.sd > 0 ? ` ± ${format.seconds(r.sd)}` : "") : "–") },
  { key: "rounds", title: "Rounds", show: (r) => r.rounds || "–" },
  { key: "peak", title: "Peak", show: (r) => (r.peak ? format.bytes(r.peak) : "–") },
  { key: "output", title: "Output", show: (r) => (r.output ? format.bytes(r.output) : "–") },
  { key: "hits", title: "Cache hits", show: (r) => r.hits || "–" },
];

function Rows({ report }: { report: RunReport }) {
  const session = useSession();
  const [by, setBy] = useState<keyof ProfileRow>("seconds");
  const rows = useMemo(() => profileRows(report).sort((a, b) => (by === "path" ? a.path.localeCompare(b.path) : Number(b[by]) - Number(a[by]))), [report, by]);
  return (
    <table className="table">
      <thead>
        <tr>{columns.map((c) => <th key={c.key} className="sortable" aria-sort={by === c.key ? "descending" : undefined} onClick={() => setBy(c.key)}>{c.title}{by === c.key ? " ↓" : ""}</th>)}</tr>
      </thead>
      <tbody>
        {rows.slice(0, 500).map((r) => (
          <tr key={r.path}>
            {columns.map((c) => <td key={c.key}>{c.key === "path" ? <button className="link" onClick={() => actions.reveal(session, r.path)}><StateIcon state={r.state} /> {r.path} <span className="muted">{r.op}</span></button> : c.show(r)}</td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Comparison({ a, b }: { a: RunReport; b: RunReport }) {
  const session = useSession();
  const rows = useMemo(() => compareRuns(a, b), [a, b]);
  const change = (v: number, show: (v: number) => string) => (Math.abs(v) < 1e-9 ? <span className="muted">same</span> : <span className={v > 0 ? "more-time" : "less-time"}>{v > 0 ? "+" : "−"}{show(Math.abs(v))}</span>);
  return (
    <table className="table" data-testid="comparison">
      <thead><tr><th>Node</th><th>Before</th><th>Now</th><th>Time</th><th>Output</th></tr></thead>
      <tbody>
        {rows.map((r) => (
          <tr key={r.path}>
            <td><button className="link" onClick={() => actions.reveal(session, r.path)}>{r.path}</button></td>
            <td>{r.a ? <>{stateLook[r.a.state].word} {r.a.seconds ? format.seconds(r.a.seconds) : ""}</> : <span className="muted">not there</span>}</td>
            <td>{r.b ? <>{stateLook[r.b.state].word} {r.b.seconds ? format.seconds(r.b.seconds) : ""}</> : <span className="muted">not there</span>}</td>
            <td>{change(r.seconds, format.seconds)}</td>
            <td>{change(r.bytes, format.bytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
