// SPDX-License-Identifier: Apache-2.0
import "./dock.css";
import { ChevronDown } from "lucide-react";
import { lazy, Suspense } from "react";
import { type DockTab, prefer, useApp } from "../state/app.ts";
import { useGraph, useReports } from "../state/hooks.ts";
import { Splitter } from "../ui/Splitter.tsx";
import { Log } from "./Log.tsx";
import { Probes } from "./Probes.tsx";
import { Problems, problemsOf } from "./Problems.tsx";

const Profiler = lazy(() => import("./Profiler.tsx"));

const titles: Record<DockTab, string> = { probe: "Values", problems: "Problems", log: "Log", profiler: "Profiler" };

/** What lies below the canvas: values, problems, the log, where the time goes. */
export function Dock() {
  const { dockTab, dockHeight } = useApp((s) => s.preferences);
  const tab = (key: DockTab, title: string, badge?: React.ReactNode) => (
    <button role="tab" className="dock-tab" aria-selected={dockTab === key} onClick={() => prefer({ dockTab: key })} data-testid={`dock-${key}`}>
      {title} {badge}
    </button>
  );
  return (
    <section className="dock" aria-label="Panels below the canvas" style={{ height: dockHeight }} data-testid="dock">
      <Splitter axis="y" style={{ top: -4 }} onStart={() => -dockHeight} onMove={(h) => prefer({ dockHeight: Math.min(Math.max(-h, 120), innerHeight - 220) })} />
      <div className="dock-head">
        <div className="dock-tabs" role="tablist" aria-label="Panels">
          {tab("probe", "Values", <ProbeCount />)}
          {tab("problems", "Problems", <ProblemCount />)}
          {tab("log", "Log")}
          {tab("profiler", "Profiler")}
        </div>
        <span className="spacer" />
        <button className="button icon small" title="Close the panel" onClick={() => prefer({ dock: false })}><ChevronDown size={16} /></button>
      </div>
      <div className="dock-body" role="tabpanel" aria-label={titles[dockTab]}>
        {dockTab === "probe" ? <Probes /> : dockTab === "problems" ? <Problems /> : dockTab === "log" ? <Log /> : <Suspense fallback={null}><Profiler /></Suspense>}
      </div>
    </section>
  );
}
function ProbeCount() {
  const n = useGraph((s) => s.probes.length);
  return n > 0 && <span className="badge">{n}</span>;
}
function ProblemCount() {
  const issues = useGraph((s) => s.issues);
  const doc = useGraph((s) => s.doc);
  const all = problemsOf(issues, useReports(), doc);
  const errors = all.filter((p) => p.kind === "error").length;
  return all.length > 0 && <span className={"badge " + (errors ? "error" : "warning")} data-testid="problem-count">{all.length}</span>;
}
