// SPDX-License-Identifier: Apache-2.0
import { format } from "@larmor/graph";
import { ChevronDown, CloudCheck, CloudOff, CloudUpload, FilePlus2, FolderOpen, Keyboard, LayoutPanelLeft, Moon, PanelBottom, PanelLeft, PanelRight, Play, Plus, Redo2, Save, Square, Sun, SunMoon, Undo2, Users, X, Zap } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { lookOf } from "../canvas/states.tsx";
import { activate, openDialog, openGraph, prefer, type Tab, useApp } from "../state/app.ts";
import { useGraph, useGraphShallow, useSession } from "../state/hooks.ts";
import { type Entries, MenuButton } from "../ui/Menu.tsx";
import { command, commands, requestClose } from "./commands.ts";
import { shortcut } from "./keys.ts";
import { Logo } from "./Logo.tsx";

export function TopBar() {
  return (
    <header className="top-bar" data-testid="top-bar">
      <Logo />
      <h1 className="unseen">Larmor Studio</h1>
      <Menus />
      <Tabs />
      <SavedMark />
      <span className="spacer" />
      <Memory />
      <Clients />
      <RunControls />
      <ViewControls />
    </header>
  );
}

function Menus() {
  const session = useSession();
  const catalogue = useApp((s) => s.catalogue);
  const entry = (id: string, icon?: Parameters<typeof Object>[0]): Entries[number] => {
    const c = command(id)!;
    return { title: c.title, icon, keys: shortcut(id), run: () => void c.run(session), testid: `menu-${id}` };
  };
  const section = (name: string) => commands.filter((c) => c.section === name && !c.hidden).map((c) => entry(c.id));
  const file = (): Entries => [
    entry("new", FilePlus2), entry("open", FolderOpen), "line", entry("save", Save), entry("save-as"), "line",
    { title: "Open dashboard by itself", disabled: !Object.keys(session.state.doc.dashboards ?? {}).length, run: () => window.open(`/d/${session.id}/${Object.keys(session.state.doc.dashboards ?? {})[0]}`, "_blank") },
    "line", entry("close", X),
  ];
  const examples = (): Entries => [...catalogue.graphs.values()].map((g) => ({ title: g.title || g.name, run: () => void openGraph({ example: g.name }), testid: `example-${g.name}` }));
  return (
    <nav className="menus" aria-label="Menus">
      <MenuButton className="button small" entries={file} testid="file-menu">File</MenuButton>
      <MenuButton className="button small" entries={() => [...section("Edit"), "line", ...section("Choose")]} testid="edit-menu">Edit</MenuButton>
      <MenuButton className="button small" entries={() => [...section("Graph"), "line", ...section("Arrange").slice(0, 6), "line", ...section("Run")]} testid="graph-menu">Graph</MenuButton>
      <MenuButton className="button small" entries={() => [...section("View"), "line", { title: "Thumbnails", run: () => prefer({ thumbnails: !useApp.getState().preferences.thumbnails }) }, { title: "Minimap", run: () => prefer({ minimap: !useApp.getState().preferences.minimap }) }, { title: "Snap to grid", run: () => prefer({ snap: !useApp.getState().preferences.snap }) }]} testid="view-menu">View</MenuButton>
      {catalogue.graphs.size > 0 && <MenuButton className="button small" entries={examples} testid="examples-menu">Examples</MenuButton>}
    </nav>
  );
}

function Tabs() {
  const tabs = useApp((s) => s.tabs);
  const active = useApp((s) => s.active);
  return (
    <nav className="tabs" aria-label="Open graphs">
      {tabs.map((t) => <TabButton key={t.id} tab={t} active={t.id === active} />)}
      <button className="button icon small" title="New graph" onClick={() => void command("new")!.run(tabs[0]!.session)}>
        <Plus size={15} />
      </button>
    </nav>
  );
}
function TabButton({ tab, active }: { tab: Tab; active: boolean }) {
  const title = useStore(tab.session.store, (s) => s.path.split("/").pop() || s.doc.title || "Untitled");
  const dirty = useStore(tab.session.store, (s) => s.rev !== s.savedRev);
  return (
    <div className={"tab" + (active ? " active" : "")} data-testid={`tab-${tab.id}`} onPointerDown={(e) => (e.button === 1 ? requestClose(tab.id) : e.button === 0 && activate(tab.id))}>
      <button className="ellipsis" title={title} aria-current={active ? "page" : undefined} onClick={() => activate(tab.id)}>{title}</button>
      <button className={"tab-close" + (dirty ? " dirty" : "")} title={`Close ${title}`} onPointerDown={(e) => e.stopPropagation()} onClick={() => requestClose(tab.id)}>
        <X size={13} />
      </button>
    </div>
  );
}

/** Where the edits are: on the way, kept by the server, in the file. */
function SavedMark() {
  const { sending, online, saved, file } = useGraphShallow((s) => ({ sending: s.sending, online: s.online, saved: s.rev === s.savedRev, file: s.path }));
  const [Icon, text] = !online ? [CloudOff, "Offline"] : sending ? [CloudUpload, "Saving…"] : saved && file ? [CloudCheck, "Saved"] : [CloudCheck, "Autosaved"];
  const more = !online ? "The connection is lost; edits are kept here" : saved && file ? `In ${file}` : file ? `Kept by the server; not yet in ${file}` : "Kept by the server; not yet in a file";
  return (
    <span className="saved-mark" title={more} data-testid="saved-mark">
      <Icon size={14} /> {text}
    </span>
  );
}

function Memory() {
  const { resident, budget } = useGraph((s) => s.memory);
  if (!resident && !budget) return null;
  const share = budget ? Math.min(1, resident / budget) : 0;
  return (
    <span className="memory" title={`Values in memory: ${format.bytes(resident)}${budget ? ` of ${format.bytes(budget)}` : ""}`} data-testid="memory">
      <span className="memory-bar"><span style={{ width: `${share * 100}%`, background: share > 0.9 ? "var(--warning)" : undefined }} /></span>
      <span className="num">{format.bytes(resident)}</span>
    </span>
  );
}
function Clients() {
  const n = useGraph((s) => s.clients);
  return n > 1 ? <span className="muted clients" title={`${n} people or windows look at this graph`}><Users size={14} /> {n}</span> : null;
}

function RunControls() {
  const session = useSession();
  const { running, auto, state } = useGraphShallow((s) => ({ running: s.run?.state === "running", auto: s.auto, state: s.run }));
  return (
    <div className="run-controls">
      {state && <RunText />}
      <label className="check auto" title={"Run at every change  " + (shortcut("auto") ?? "")}>
        <Zap size={13} />
        Auto
        <input type="checkbox" className="switch" checked={auto} onChange={(e) => void session.setAuto(e.target.checked)} data-testid="auto" />
      </label>
      {running ? (
        <button className="button line run-button" onClick={() => void session.cancel()} title={"Cancel  " + (shortcut("cancel") ?? "")} data-testid="cancel">
          <Square size={13} fill="currentColor" /> Cancel
        </button>
      ) : (
        <span className="split">
          <button className="button primary run-button" onClick={() => void session.runAll()} title={"Run all  " + (shortcut("run") ?? "")} data-testid="run">
            <Play size={13} fill="currentColor" /> Run
          </button>
          <MenuButton className="button primary icon split-more" title="More ways to run" entries={() => ["run", "run-to", "run-force"].map((id) => ({ title: command(id)!.title, keys: shortcut(id), run: () => void command(id)!.run(session) }))}>
            <ChevronDown size={14} />
          </MenuButton>
        </span>
      )}
    </div>
  );
}
function RunText() {
  const run = useGraph((s) => s.run)!;
  const session = useSession();
  const missing = run.state === "failed" ? [...session.reports.all()].filter(([path, r]) => r.state === "error" && lookOf(session, path) === "needs").length : 0;
  const [, tick] = useState(0);
  const running = run.state === "running";
  useEffect(() => {
    if (!running) return;
    const timer = setInterval(() => tick((n) => n + 1), 200);
    return () => clearInterval(timer);
  }, [running]);
  const seconds = running ? (performance.now() - run.since) / 1000 : run.seconds;
  // What only lacks files has not gone wrong.
  const needs = run.state === "failed" && run.failed <= missing ? missing : 0;
  const text = running ? "Running" : run.state === "done" ? "Done" : needs ? `Needs ${needs === 1 ? "a file" : `${needs} files`}` : run.state === "failed" ? `${run.failed} failed` : "Cancelled";
  return (
    <span className={`run-text ${needs ? "needs" : run.state}`} data-testid="run-state" data-state={run.state} title={running ? undefined : `${run.ran} ran, ${run.cached} from the cache, ${run.failed} failed`}>
      {text} {!needs && <span className="num">{format.seconds(seconds)}</span>}
    </span>
  );
}

function ViewControls() {
  const p = useApp((s) => s.preferences);
  const panel = (on: boolean, key: "palette" | "inspector" | "dock", Icon: typeof PanelLeft, title: string) => (
    <button className={"button icon" + (on ? " pressed" : "")} aria-pressed={on} title={`${title}  ${shortcut(key) ?? ""}`} onClick={() => prefer({ [key]: !on })} data-testid={`toggle-${key}`}>
      <Icon size={16} />
    </button>
  );
  const next = { system: "light", light: "dark", dark: "system" } as const;
  const Theme = { system: SunMoon, light: Sun, dark: Moon }[p.theme];
  return (
    <div className="view-controls">
      {panel(p.palette, "palette", PanelLeft, "Palette")}
      {panel(p.dock, "dock", PanelBottom, "Panels")}
      {panel(p.inspector, "inspector", PanelRight, "Inspector")}
      <span className="bar-line" />
      <button className="button icon" title={`Theme: ${p.theme}`} onClick={() => prefer({ theme: next[p.theme] })} data-testid="theme"><Theme size={16} /></button>
      <button className="button icon" title={"Keyboard shortcuts  ?"} onClick={() => openDialog({ kind: "shortcuts" })} data-testid="shortcuts-button"><Keyboard size={16} /></button>
    </div>
  );
}

/** Canvas, or one of the dashboards of the graph. */
export function Pages() {
  const session = useSession();
  const page = useGraph((s) => s.page);
  const dashboards = useGraph((s) => s.doc.dashboards);
  const undo = useGraph((s) => s.undo), redo = useGraph((s) => s.redo);
  return (
    <div className="pages">
      <div className="segmented">
        <button aria-pressed={page.kind === "canvas"} onClick={() => session.setPage({ kind: "canvas" })} data-testid="page-canvas">Canvas</button>
        {Object.entries(dashboards ?? {}).map(([name, d]) => (
          <button key={name} title={d.title || name} aria-pressed={page.kind === "dashboard" && page.name === name} onClick={() => session.setPage({ kind: "dashboard", name })} data-testid={`page-${name}`}>
            <LayoutPanelLeft size={13} /> <span className="ellipsis">{d.title || name}</span>
          </button>
        ))}
        {!Object.keys(dashboards ?? {}).length && (
          <button onClick={() => void command("dashboard-page")!.run(session)} title="Make a dashboard of this graph" data-testid="page-new">
            <Plus size={13} /> Dashboard
          </button>
        )}
      </div>
      <span className="bar-line" />
      <button className="button icon small" disabled={undo === null} title={undo ? `Undo ${undo}` : "Undo"} onClick={() => void session.undo()} data-testid="undo"><Undo2 size={15} /></button>
      <button className="button icon small" disabled={redo === null} title={redo ? `Redo ${redo}` : "Redo"} onClick={() => void session.redo()} data-testid="redo"><Redo2 size={15} /></button>
    </div>
  );
}
