// SPDX-License-Identifier: Apache-2.0
// Settings, how nodes run, and what of a graph is shown elsewhere.
import { addDashboard, addItem, type DashboardItem, type Json, type Mode, promote, setFolded, setMode, setPort, setSetting, setSweep } from "@larmor/graph";
import { messages } from "../errors.ts";
import { tell } from "../state/app.ts";
import type { Session } from "../state/session.ts";
import { theCanvas } from "./canvas.ts";

export function toggleMode(session: Session, mode: Mode, ids = session.state.selected.nodes) {
  const all = ids.every((id) => session.level.graph.nodes?.[id]?.mode === mode);
  session.edit(all ? `end ${mode}` : mode, (g) => setMode(g, ids, all ? "normal" : mode));
}
export function toggleFolded(session: Session, ids = session.state.selected.nodes) {
  const folded = !ids.every((id) => session.level.graph.nodes?.[id]?.folded);
  session.edit(folded ? "fold" : "unfold", (g) => setFolded(g, ids, folded));
}
export function changeSetting(session: Session, id: string, name: string, value: Json | undefined, merge?: string) {
  session.edit(`set ${name}`, (g) => setSetting(g, id, name, value), merge && `${session.pathOf(id)}.${name}.${merge}`);
}
export const changeSweep = (session: Session, id: string, name: string, values: Json[] | undefined) => session.edit(values ? `sweep ${name}` : `end sweep of ${name}`, (g) => setSweep(g, id, name, values));
export const changePort = (session: Session, id: string, name: string, on: boolean) => session.edit(on ? `make ${name} a port` : `make ${name} a setting`, (g) => setPort(g, id, name, on));
export const promoteSetting = (session: Session, id: string, name: string) => session.edit(`promote ${name}`, (g) => promote(g, id, name).graph);

export function runTo(session: Session, ids = session.state.selected.nodes) {
  if (ids.length) void session.runTo(ids.map((id) => session.pathOf(id)));
}

/** Puts something on a dashboard; on a new one when there is none of that name. */
export function toDashboard(session: Session, name: string | null, item: DashboardItem) {
  let where = name;
  session.editDocument("add to dashboard", (doc) => {
    let out = doc;
    if (where === null || !out.dashboards?.[where]) {
      const made = addDashboard(out, "Overview");
      out = made.graph;
      where = made.name;
    }
    return addItem(out, where, item);
  });
  if (where !== null) tell({ text: `Added to “${session.state.doc.dashboards?.[where]?.title ?? where}”` });
}
export const dashboardEntries = (session: Session, item: DashboardItem) => [
  { heading: "Add to dashboard" },
  ...Object.entries(session.state.doc.dashboards ?? {}).map(([name, d]) => ({ title: d.title || name, run: () => toDashboard(session, name, item) })),
  { title: "New dashboard", run: () => toDashboard(session, null, item) },
];

/** Brings a node of any level into view and chooses it. */
export function reveal(session: Session, path: string) {
  const keys = path.split("/");
  const id = keys.pop()!;
  const move = keys.join("/") !== session.state.at.join("/") || session.state.page.kind !== "canvas";
  if (move) session.enter(keys);
  if (!session.level.graph.nodes?.[id]) return tell(messages.notHere(`Node “${id}”`), "error");
  session.select({ nodes: [id] });
  setTimeout(() => theCanvas()?.focus([id]), move ? 120 : 0);
}
