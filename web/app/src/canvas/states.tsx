// SPDX-License-Identifier: Apache-2.0
import type { State } from "@larmor/graph";
import { Ban, CheckCircle2, CircleDashed, CircleSlash, Clock, Database, LoaderCircle, type LucideIcon, OctagonX, SkipForward, Snowflake, TriangleAlert } from "lucide-react";

/** Every state has its own icon and word besides a colour, so none needs colour to be told. */
export const stateLook: Record<State, { icon: LucideIcon; word: string; colour: string }> = {
  idle: { icon: CircleDashed, word: "Not run", colour: "var(--idle)" },
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

export function StateIcon({ state, size = 13 }: { state: State; size?: number }) {
  const look = stateLook[state] ?? stateLook.idle;
  return <look.icon size={size} color={look.colour} className={state === "running" ? "spin" : undefined} aria-hidden />;
}
