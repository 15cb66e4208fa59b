// SPDX-License-Identifier: Apache-2.0
import { inputNeeded, missingFiles, type Shown, shownState } from "@larmor/graph";
import { Ban, CheckCircle2, CircleDashed, CircleSlash, Clock, Database, FolderOpen, LoaderCircle, type LucideIcon, OctagonX, SkipForward, Snowflake, TriangleAlert } from "lucide-react";
import { useGraph, useReport } from "../state/hooks.ts";
import type { Session } from "../state/session.ts";

/** Every state has its own icon and word besides a colour, so none needs colour to be told. */
export const stateLook: Record<Shown, { icon: LucideIcon; word: string; colour: string }> = {
  idle: { icon: CircleDashed, word: "Not run", colour: "var(--idle)" },
  needs: { icon: FolderOpen, word: "Needs a file", colour: "var(--quiet)" },
  waiting: { icon: Clock, word: "Waiting", colour: "var(--idle)" },
  running: { icon: LoaderCircle, word: "Running", colour: "var(--running)" },
  done: { icon: CheckCircle2, word: "Done", colour: "var(--done)" },
  cached: { icon: Database, word: "Cached", colour: "var(--cached)" },
  warning: { icon: TriangleAlert, word: "Warning", colour: "var(--warning)" },
  error: { icon: OctagonX, word: "Error", colour: "var(--error)" },
  skipped: { icon: SkipForward, word: "Skipped", colour: "var(--idle)" },
  cancelled: { icon: Ban, word: "Cancelled", colour: "var(--quiet)" },
  bypassed: { icon: CircleSlash, word: "Bypassed", colour: "var(--quiet)" },
  frozen: { icon: Snowflake, word: "Frozen", colour: "var(--cached)" },
};

/** The state of a node as it is shown, by its whole path. */
export function lookOf(session: Session, path: string): Shown {
  const report = session.reports.get(path);
  return shownState(report?.state ?? "idle", missingFiles(session.state.issues).get(path) ?? inputNeeded(session.state.doc.inputs, report));
}
export function useLook(path: string) {
  const report = useReport(path);
  const missing = useGraph((s) => missingFiles(s.issues).get(path));
  const inputs = useGraph((s) => s.doc.inputs);
  const input = missing ? undefined : inputNeeded(inputs, report);
  return { report, missing, input, look: shownState(report?.state ?? "idle", missing ?? input) };
}

export function StateIcon({ state, size = 13 }: { state: Shown; size?: number }) {
  const look = stateLook[state] ?? stateLook.idle;
  return <look.icon size={size} color={look.colour} className={state === "running" ? "spin" : undefined} aria-hidden />;
}
