// SPDX-License-Identifier: Apache-2.0
import type { GraphDoc, Issue, NodeReport } from "@larmor/graph";
import { CheckCircle2, OctagonX, TriangleAlert } from "lucide-react";
import * as actions from "../actions.ts";
import { useGraph, useReports, useSession } from "../state/hooks.ts";
import { SourceLink } from "../ui/SourceLink.tsx";

export interface Problem {
  kind: "error" | "warning";
  node: string;
  port?: string;
  text: string;
  advice?: string;
  at?: string;
  op?: string;
}

/** What is wrong with the graph, and what went wrong in the last run; errors first. */
export function problemsOf(issues: Issue[], reports: ReadonlyMap<string, NodeReport>, doc: GraphDoc): Problem[] {
  const out: Problem[] = issues.map((i) => ({ kind: i.kind, node: i.node ?? "", port: i.port, text: i.message, advice: i.advice }));
  const groups = new Set<string>();
  for (const path of reports.keys()) if (path.includes("/")) groups.add(path.slice(0, path.lastIndexOf("/")));
  for (const [path, r] of reports) {
    // Nodes that have gone have no problems, and a group has those of its nodes.
    const node = doc.nodes?.[path.split("/")[0]!];
    if (!node || groups.has(path)) continue;
    if (r.state === "error" && r.error) out.push({ kind: "error", node: path, text: r.error, advice: r.advice, at: r.error_at, op: r.op });
    if (r.state !== "idle") for (const w of r.warnings ?? []) out.push({ kind: "warning", node: path, text: w });
  }
  // The check and the run often say the same.
  const seen = new Set<string>();
  const fresh = out.filter((p) => {
    const key = `${p.node} ${p.text}`;
    return !seen.has(key) && seen.add(key);
  });
  return fresh.sort((a, b) => Number(a.kind === "warning") - Number(b.kind === "warning"));
}

/** A click goes to the node. */
export function Problems() {
  const session = useSession();
  const issues = useGraph((s) => s.issues);
  const doc = useGraph((s) => s.doc);
  const all = problemsOf(issues, useReports(), doc);
  if (!all.length) {
    return (
      <div className="empty">
        <CheckCircle2 size={20} color="var(--done)" />
        <span>No problems</span>
      </div>
    );
  }
  return (
    <div className="row-list" data-testid="problems">
      {all.map((p, i) => (
        <button className="problem" key={i} onClick={() => p.node && actions.reveal(session, p.node)} data-testid={`problem-${p.node}`}>
          {p.kind === "error" ? <OctagonX size={14} color="var(--error)" /> : <TriangleAlert size={14} color="var(--warning)" />}
          <span>
            {p.text} {p.at && <SourceLink op={p.op ?? ""} at={p.at} />}
            {p.advice && <div className="advice">{p.advice}</div>}
          </span>
          <span className="where mono">{p.node}{p.port ? "." + p.port : ""}</span>
        </button>
      ))}
    </div>
  );
}
