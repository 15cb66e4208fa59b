// SPDX-License-Identifier: Apache-2.0
import "./shell.css";
import { WifiOff } from "lucide-react";
import { useEffect } from "react";
import { Canvas } from "../canvas/Canvas.tsx";
import { Dashboard } from "../dashboard/Dashboard.tsx";
import { Things } from "../dashboard/Things.tsx";
import { Dialogs } from "../dialogs/Dialogs.tsx";
import { Dock } from "../dock/Dock.tsx";
import { messages } from "../errors.ts";
import { Inspector } from "../inspector/Inspector.tsx";
import { Palette } from "../palette/Palette.tsx";
import { prefer, start, useApp } from "../state/app.ts";
import { SessionContext, useGraph, useSession } from "../state/hooks.ts";
import { useTheme } from "../theme/useTheme.ts";
import { ErrorBoundary } from "../ui/ErrorBoundary.tsx";
import { Splitter } from "../ui/Splitter.tsx";
import { Toasts } from "../ui/Toasts.tsx";
import { Tooltips } from "../ui/Tooltip.tsx";
import { Gate } from "./Gate.tsx";
import { Pages, TopBar } from "./TopBar.tsx";
import { useShortcuts } from "./useShortcuts.ts";

export function App() {
  useTheme();
  useShortcuts();
  const status = useApp((s) => s.status);
  const session = useApp((s) => s.tabs.find((t) => t.id === s.active)?.session);
  useEffect(() => void start(), []);
  if (status !== "ready" || !session) return <Gate />;
  return (
    <SessionContext.Provider value={session}>
      <div className="app">
        <TopBar />
        <Work />
      </div>
      <Guarded />
      <Toasts />
      <Tooltips />
    </SessionContext.Provider>
  );
}

/** A dialog that fails goes alone. */
function Guarded() {
  const dialog = useApp((s) => s.dialog);
  return <ErrorBoundary reset={dialog}><Dialogs /></ErrorBoundary>;
}

const clamp = (v: number, lo: number, hi: number) => Math.min(Math.max(v, lo), hi);

function Work() {
  const session = useSession();
  const p = useApp((s) => s.preferences);
  const page = useGraph((s) => s.page);
  const title = useGraph((s) => s.doc.title);
  useEffect(() => void (document.title = `${title || "Untitled"} · Larmor Studio`), [title]);
  return (
    <div className="work">
      {p.palette && (
        <aside className="side left" aria-label={page.kind === "canvas" ? "Operations" : "Settings and values"} style={{ width: p.paletteWidth }}>
          {page.kind === "canvas" ? <Palette /> : <Things dashboard={page.name} />}
          <Splitter axis="x" style={{ right: -4 }} onStart={() => p.paletteWidth} onMove={(w) => prefer({ paletteWidth: clamp(w, 160, 460) })} />
        </aside>
      )}
      <main className="centre">
        <Offline />
        <Pages />
        <div className="stage">
          <ErrorBoundary reset={session}>{page.kind === "canvas" ? <Canvas /> : <Dashboard key={session.id + page.name} name={page.name} />}</ErrorBoundary>
        </div>
        {p.dock && <Dock key={session.id} />}
      </main>
      {p.inspector && page.kind === "canvas" && (
        <aside className="side right" aria-label="Inspector" style={{ width: p.inspectorWidth }}>
          <Splitter axis="x" style={{ left: -4 }} onStart={() => -p.inspectorWidth} onMove={(w) => prefer({ inspectorWidth: clamp(-w, 240, 560) })} />
          <Inspector />
        </aside>
      )}
    </div>
  );
}

function Offline() {
  const session = useSession();
  const online = useGraph((s) => s.online);
  if (online) return null;
  return (
    <div className="banner" role="alert" data-testid="offline">
      <WifiOff size={15} />
      <span>
        <strong>{messages.offline.text}.</strong> {messages.offline.advice}
      </span>
      <button className="button small" onClick={() => session.reconnect()}>Try now</button>
    </div>
  );
}
