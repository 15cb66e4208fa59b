// SPDX-License-Identifier: Apache-2.0
import { addDashboard, downstream, upstream } from "@larmor/graph";
import * as actions from "../actions.ts";
import { rename } from "../canvas/entries.ts";
import { thumbnailPort } from "../canvas/model.ts";
import { activate, closeTab, openDialog, openGraph, prefer, showDock, useApp } from "../state/app.ts";
import type { Session } from "../state/session.ts";
import { nodeView } from "@larmor/graph";

export interface Command {
  id: string;
  title: string;
  section: "Graph" | "Edit" | "Choose" | "Arrange" | "View" | "Run" | "File";
  /** True: nothing was done, so the browser may have the key. */
  run: (session: Session) => unknown;
  hidden?: boolean;
}

const nudge = (dx: number, dy: number) => (s: Session) => {
  const chosen = s.state.selected;
  if (chosen.nodes.length + chosen.comments.length + chosen.frames.length === 0) return true;
  actions.nudge(s, dx * 10, dy * 10);
};
const turn = (step: number) => () => {
  const { tabs, active } = useApp.getState();
  const at = tabs.findIndex((t) => t.id === active);
  const next = tabs[(at + step + tabs.length) % tabs.length];
  if (next) activate(next.id);
};
const preferences = () => useApp.getState().preferences;
const one = (s: Session) => (s.state.selected.nodes.length === 1 ? s.state.selected.nodes[0]! : null);

function saveGraph(s: Session) {
  if (s.state.path) void s.save();
  else openDialog({ kind: "save" });
}
/** Looks at the first picture (or value) of the chosen nodes. */
function probe(s: Session) {
  for (const id of s.state.selected.nodes) {
    const view = nodeView(s.level, id, useApp.getState().catalogue);
    const port = thumbnailPort(view, useApp.getState().catalogue) ?? view.outputs[0]?.name;
    if (port) s.probe(`${s.pathOf(id)}.${port}`, s.state.selected.nodes.length > 1);
  }
  if (s.state.selected.nodes.length) showDock("probe");
}

export const commands: Command[] = [
  { id: "quick-add", section: "Edit", title: "Add operation", run: () => actions.theCanvas()?.quickAdd() },
  { id: "add-file", section: "Edit", title: "Add file", run: actions.addFile },
  { id: "commands", section: "View", title: "All commands", run: () => openDialog({ kind: "commands" }) },
  { id: "find", section: "Choose", title: "Find a node", run: () => openDialog({ kind: "find" }) },
  { id: "undo", section: "Edit", title: "Undo", run: (s) => s.undo() },
  { id: "redo", section: "Edit", title: "Redo", run: (s) => s.redo() },
  { id: "copy", section: "Edit", title: "Copy", run: (s) => (getSelection()?.toString() ? true : void actions.copySelection(s)) },
  { id: "cut", section: "Edit", title: "Cut", run: (s) => actions.cutSelection(s) },
  { id: "paste", section: "Edit", title: "Paste", run: (s) => actions.pasteClipboard(s, false) },
  { id: "paste-upstream", section: "Edit", title: "Paste with upstream wires", run: (s) => actions.pasteClipboard(s, true) },
  { id: "duplicate", section: "Edit", title: "Duplicate", run: actions.duplicate },
  { id: "delete", section: "Edit", title: "Delete", run: (s) => actions.remove(s) },
  { id: "dissolve", section: "Edit", title: "Delete, keep the wire", run: actions.removeBridging },
  { id: "rename", section: "Edit", title: "Rename", run: (s) => one(s) && rename(s, one(s)!) },
  { id: "comment", section: "Edit", title: "Add comment", run: (s) => actions.comment(s) },
  { id: "frame", section: "Edit", title: "Frame around the chosen", run: actions.frame },
  { id: "select-all", section: "Choose", title: "Choose all", run: (s) => s.select({ nodes: Object.keys(s.level.graph.nodes ?? {}), comments: Object.keys(s.level.graph.comments ?? {}), frames: Object.keys(s.level.graph.frames ?? {}) }) },
  { id: "select-upstream", section: "Choose", title: "Choose what feeds it", run: (s) => s.select({ nodes: [...upstream(s.level.graph, s.state.selected.nodes)] }) },
  { id: "select-downstream", section: "Choose", title: "Choose what depends on it", run: (s) => s.select({ nodes: [...downstream(s.level.graph, s.state.selected.nodes)] }) },
  { id: "escape", section: "Choose", title: "Choose nothing", run: (s) => s.select({}) },
  { id: "group", section: "Graph", title: "Group", run: actions.groupSelection },
  { id: "ungroup", section: "Graph", title: "Ungroup", run: actions.ungroupSelection },
  { id: "enter", section: "Graph", title: "Open the group", run: (s) => (one(s) ? void actions.enterNode(s, one(s)!) : true) },
  { id: "leave", section: "Graph", title: "Back to the outer graph", run: (s) => s.state.at.length && actions.leaveLevel(s) },
  { id: "bypass", section: "Graph", title: "Bypass", run: (s) => actions.toggleMode(s, "bypass") },
  { id: "freeze", section: "Graph", title: "Freeze", run: (s) => actions.toggleMode(s, "freeze") },
  { id: "fold", section: "Arrange", title: "Fold", run: (s) => actions.toggleFolded(s) },
  { id: "layout", section: "Arrange", title: "Lay out along the wires", run: (s) => actions.autoLayout(s) },
  { id: "align-left", section: "Arrange", title: "Align left", run: (s) => actions.alignSelection(s, "left") },
  { id: "align-right", section: "Arrange", title: "Align right", run: (s) => actions.alignSelection(s, "right") },
  { id: "align-top", section: "Arrange", title: "Align top", run: (s) => actions.alignSelection(s, "top") },
  { id: "align-bottom", section: "Arrange", title: "Align bottom", run: (s) => actions.alignSelection(s, "bottom") },
  { id: "left", section: "Arrange", title: "Move left", run: nudge(-1, 0) },
  { id: "right", section: "Arrange", title: "Move right", run: nudge(1, 0) },
  { id: "up", section: "Arrange", title: "Move up", run: nudge(0, -1) },
  { id: "down", section: "Arrange", title: "Move down", run: nudge(0, 1) },
  { id: "fit", section: "View", title: "Show everything", run: () => actions.theCanvas()?.fit() },
  { id: "zoom-one", section: "View", title: "Original size", run: () => actions.theCanvas()?.zoom("one") },
  { id: "zoom-in", section: "View", title: "Zoom in", run: () => actions.theCanvas()?.zoom(1.25) },
  { id: "zoom-out", section: "View", title: "Zoom out", run: () => actions.theCanvas()?.zoom(0.8) },
  { id: "palette", section: "View", title: "Palette", run: () => prefer({ palette: !preferences().palette }) },
  { id: "inspector", section: "View", title: "Inspector", run: () => prefer({ inspector: !preferences().inspector }) },
  { id: "dock", section: "View", title: "Panels below", run: () => prefer({ dock: !preferences().dock }) },
  { id: "probe", section: "View", title: "Probe the chosen", run: probe },
  { id: "canvas-page", section: "View", title: "Canvas", run: (s) => s.setPage({ kind: "canvas" }) },
  {
    id: "dashboard-page", section: "View", title: "Dashboard",
    run: (s) => {
      let name = Object.keys(s.state.doc.dashboards ?? {})[0];
      if (!name) s.editDocument("add dashboard", (d) => {
        const made = addDashboard(d, "Overview");
        name = made.name;
        return made.graph;
      });
      if (name) s.setPage({ kind: "dashboard", name });
    },
  },
  { id: "theme", section: "View", title: "Light or dark", run: () => prefer({ theme: document.documentElement.dataset.theme === "dark" ? "light" : "dark" }) },
  { id: "shortcuts", section: "View", title: "Keyboard shortcuts", run: () => openDialog({ kind: "shortcuts" }) },
  { id: "run", section: "Run", title: "Run all", run: (s) => s.runAll() },
  { id: "run-to", section: "Run", title: "Run to the chosen", run: (s) => actions.runTo(s) },
  { id: "run-force", section: "Run", title: "Run all, ignore the cache", run: (s) => s.runAll(true) },
  { id: "cancel", section: "Run", title: "Cancel", run: (s) => s.cancel() },
  { id: "auto", section: "Run", title: "Run at every change", run: (s) => s.setAuto(!s.state.auto) },
  { id: "new", section: "File", title: "New graph", run: () => openGraph({ graph: { larmor: 1, title: "Untitled" } }) },
  { id: "open", section: "File", title: "Open", run: () => openDialog({ kind: "open" }) },
  { id: "save", section: "File", title: "Save", run: saveGraph },
  { id: "save-as", section: "File", title: "Save as", run: () => openDialog({ kind: "save" }) },
  { id: "close", section: "File", title: "Close tab", run: (s) => requestClose(s.id) },
  { id: "next-tab", section: "File", title: "Next tab", run: turn(1) },
  { id: "previous-tab", section: "File", title: "Previous tab", run: turn(-1) },
];
export const command = (id: string) => commands.find((c) => c.id === id);

/** Asks first when something would be lost. */
export function requestClose(id: string) {
  const tab = useApp.getState().tabs.find((t) => t.id === id);
  if (!tab) return;
  const { rev, savedRev, clients, doc } = tab.session.state;
  const empty = !Object.keys(doc.nodes ?? {}).length && !Object.keys(doc.comments ?? {}).length;
  if (rev !== savedRev && clients <= 1 && !empty) openDialog({ kind: "close", id });
  else void closeTab(id, true);
}
