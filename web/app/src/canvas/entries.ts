// SPDX-License-Identifier: Apache-2.0
import { disconnect, splitPort } from "@larmor/graph";
import { AlignHorizontalJustifyCenter, Ban, Boxes, ClipboardPaste, Copy, CopyPlus, Eye, FilePlus2, Frame, LayoutDashboard, LayoutGrid, LogIn, MessageSquare, PencilLine, Play, Plus, Scissors, Snowflake, Trash2, Ungroup, Unlink, Maximize, FoldVertical, Split } from "lucide-react";
import * as actions from "../actions.ts";
import { openDialog, showDock } from "../state/app.ts";
import type { Session } from "../state/session.ts";
import { setTitle } from "@larmor/graph";
import type { Entries } from "../ui/Menu.tsx";
import { shortcut } from "../shell/keys.ts";

export function rename(session: Session, id: string) {
  const node = session.level.graph.nodes?.[id];
  if (node) openDialog({ kind: "ask", title: "Rename node", label: "Title", value: node.title ?? "", done: (title) => session.edit("rename", (g) => setTitle(g, id, title)) });
}

export function nodeEntries(session: Session, id: string): Entries {
  const { selected } = session.state;
  const many = selected.nodes.length + selected.comments.length + selected.frames.length > 1;
  const node = session.level.graph.nodes?.[id];
  const port = node && session.reports.get(session.pathOf(id))?.outputs;
  const first = port && Object.keys(port)[0];
  return [
    { title: many ? "Run to these" : "Run to here", icon: Play, keys: shortcut("run-to"), run: () => actions.runTo(session), testid: "menu-run-to" },
    !many && first && { title: "Probe", icon: Eye, run: () => { session.probe(`${session.pathOf(id)}.${first}`, true); showDock("probe"); } },
    "line",
    !many && node?.graph && { title: "Open group", icon: LogIn, keys: shortcut("enter"), run: () => actions.enterNode(session, id) },
    { title: "Group", icon: Boxes, keys: shortcut("group"), run: () => actions.groupSelection(session), testid: "menu-group" },
    node?.graph && { title: "Ungroup", icon: Ungroup, keys: shortcut("ungroup"), run: () => actions.ungroupSelection(session) },
    !many && node?.graph && { title: "Make its own copy", icon: Split, run: () => actions.unshare(session, id) },
    "line",
    { title: "Bypass", icon: Ban, keys: shortcut("bypass"), run: () => actions.toggleMode(session, "bypass") },
    { title: "Freeze", icon: Snowflake, keys: shortcut("freeze"), run: () => actions.toggleMode(session, "freeze") },
    { title: "Fold", icon: FoldVertical, keys: shortcut("fold"), run: () => actions.toggleFolded(session) },
    !many && { title: "Rename…", icon: PencilLine, keys: shortcut("rename"), run: () => rename(session, id) },
    "line",
    { title: "Copy", icon: Copy, keys: shortcut("copy"), run: () => void actions.copySelection(session) },
    { title: "Cut", icon: Scissors, keys: shortcut("cut"), run: () => void actions.cutSelection(session) },
    { title: "Duplicate", icon: CopyPlus, keys: shortcut("duplicate"), run: () => actions.duplicate(session) },
    many && { title: "Lay out", icon: LayoutGrid, keys: shortcut("layout"), run: () => void actions.autoLayout(session) },
    many && { title: "Align left", icon: AlignHorizontalJustifyCenter, run: () => actions.alignSelection(session, "left") },
    { title: "Frame", icon: Frame, keys: shortcut("frame"), run: () => actions.frame(session) },
    "line",
    { title: "Delete, keep wire", icon: Unlink, keys: shortcut("dissolve"), run: () => actions.removeBridging(session) },
    { title: "Delete", icon: Trash2, keys: shortcut("delete"), danger: true, run: () => actions.remove(session), testid: "menu-delete" },
  ];
}

export function noteEntries(session: Session, _kind: string): Entries {
  return [
    { title: "Copy", icon: Copy, keys: shortcut("copy"), run: () => void actions.copySelection(session) },
    { title: "Duplicate", icon: CopyPlus, keys: shortcut("duplicate"), run: () => actions.duplicate(session) },
    "line",
    { title: "Delete", icon: Trash2, keys: shortcut("delete"), danger: true, run: () => actions.remove(session) },
  ];
}

export function wireEntries(session: Session, to: string, port: string): Entries {
  const source = port && splitPort(port);
  return [
    source && { title: "Probe", icon: Eye, run: () => { session.probe(port, true); showDock("probe"); } },
    ...(source ? ["line" as const, ...actions.dashboardEntries(session, { kind: "viewer", port }).map((e) => ("run" in e ? { ...e, icon: LayoutDashboard } : e))] : []),
    "line",
    { title: "Cut wire", icon: Scissors, keys: shortcut("delete"), danger: true, run: () => session.edit("cut wire", (g) => disconnect(g, to)) },
  ];
}

export function canvasEntries(session: Session, quickAdd: () => void): Entries {
  return [
    { title: "Add operation…", icon: Plus, keys: shortcut("quick-add"), run: quickAdd },
    { title: "Add file…", icon: FilePlus2, keys: shortcut("add-file"), run: () => actions.addFile(session), testid: "menu-add-file" },
    { title: "Add comment", icon: MessageSquare, keys: shortcut("comment"), run: () => actions.comment(session) },
    { title: "Add frame", icon: Frame, keys: shortcut("frame"), run: () => actions.frame(session) },
    "line",
    { title: "Paste", icon: ClipboardPaste, keys: shortcut("paste"), run: () => void actions.pasteClipboard(session, false) },
    { title: "Paste with upstream wires", icon: ClipboardPaste, keys: shortcut("paste-upstream"), run: () => void actions.pasteClipboard(session, true) },
    "line",
    { title: "Lay out everything", icon: LayoutGrid, keys: shortcut("layout"), run: () => void actions.autoLayout(session) },
    { title: "Show everything", icon: Maximize, keys: shortcut("fit"), run: () => actions.theCanvas()?.fit() },
  ];
}
