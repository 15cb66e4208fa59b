// SPDX-License-Identifier: Apache-2.0
import { type GraphDoc, inputNeeded, type Issue, missingFiles, type NodeReport } from "@larmor/graph";
import { CheckCircle2, FolderOpen, OctagonX, TriangleAlert } from "lucide-react";
import * as actions from "../actions.ts";
import { useGraph, useReports, useSession } from "../state/hooks.ts";
import { SourceLink } from "../ui/SourceLink.tsx";

export interface Problem {
  kind: "error" | "file" | "warning";
  node: string;
  port?: string;
  input?: string;
  text: string;
  advice?: string;
  at?: string;
  op?: string;
}

const order = { error: 0, file: 1, warning: 2 };
/** What is wrong with the graph, and what went wrong in the last run; errors first. A file that is not there is told once: as what the node needs. */
export function problemsOf(issues: Issue[], reports: ReadonlyMap<string, NodeReport>, doc: GraphDoc): Problem[] {
  const missing = missingFiles(issues);
  const out: Problem[] = issues.map((i) => ({ kind: missing.get(i.node ?? "") === i ? "file" : i.kind, node: i.node ?? "", port: i.port, text: i.message, advice: i.advice }));
  const groups = new Set<string>();
  for (const path of reports.keys()) if (path.includes("/")) groups.add(path.slice(0, path.lastIndexOf("/")));
  for (const [path, r] of reports) {
    // Nodes that have gone have no problems, and a group has those of its nodes.
    const node = doc.nodes?.[path.split("/")[0]!];
    if (!node || groups.has(path)) continue;
    const input = inputNeeded(doc.inputs, r);
    if (input) out.push({ kind: "file", node: path, input: input.name, text: input.message, advice: input.advice });
    else if (r.state === "error" && r.error && !missing.has(path)) out.push({ kind: "error", node: path, text: r.error, advice: r.advice, at: r.error_at, op: r.op });
    if (r.state !== "idle") for (const w of r.warnings ?? []) out.push({ kind: "warning", node: path, text: w });
  }
  // The check and the run often say the same.
  const seen = new Set<string>();
  const fresh = out.filter((p) => {
    const key = `${p.node} ${p.text}`;
    return !seen.has(key) && seen.add(key);
  });
  return fresh.sort((a, b) => order[a.kind] - order[b.kind]);
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
          {p.kind === "error" ? <OctagonX size={14} color="var(--error)" /> : p.kind === "file" ? <FolderOpen size={14} color="var(--quiet)" /> : <TriangleAlert size={14} color="var(--warning)" />}
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
