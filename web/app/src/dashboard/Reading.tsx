// SPDX-License-Identifier: Apache-2.0
import "../shell/shell.css";
import { type ReactNode, useEffect, useState } from "react";
import { say } from "../errors.ts";
import { Gate } from "../shell/Gate.tsx";
import { Logo } from "../shell/Logo.tsx";
import { client, start, tell, useApp } from "../state/app.ts";
import { SessionContext, useGraph } from "../state/hooks.ts";
import { Session } from "../state/session.ts";
import { useTheme } from "../theme/useTheme.ts";
import { Toasts } from "../ui/Toasts.tsx";
import { Tooltips } from "../ui/Tooltip.tsx";
import { Dashboard } from "./Dashboard.tsx";

/** /d/{graph}/{dashboard}: a dashboard by itself, to look at. */
export function Reading({ graph, name }: { graph: string; name: string }): ReactNode {
  useTheme();
  const status = useApp((s) => s.status);
  const api = useApp((s) => s.api);
  const [session, setSession] = useState<Session | null>(null);
  const [problem, setProblem] = useState("");
  useEffect(() => void start(), []);
  useEffect(() => {
    if (status !== "ready") return;
    let made: Session | null = null;
    let live = true;
    Session.open(api, graph, client, tell)
      .then((s) => {
        made = s;
        if (!live) return;
        s.pipelines = () => useApp.getState().catalogue.pipelines;
        s.connect();
        setSession(s);
      })
      .catch((e: unknown) => setProblem(say(e).text));
    return () => {
      live = false;
      made?.leave();
    };
  }, [status, api, graph]);
  if (problem) return <div className="gate"><Logo size={44} /><h1>{problem}</h1></div>;
  if (!session) return <Gate />;
  return (
    <SessionContext.Provider value={session}>
      <div className="reading" data-testid="reading">
        <header className="top-bar" style={{ height: "var(--bar)" }}>
          <Logo />
          <Title />
        </header>
        <Dashboard name={name} readOnly />
      </div>
      <Toasts />
      <Tooltips />
    </SessionContext.Provider>
  );
}
function Title() {
  const title = useGraph((s) => s.doc.title || s.path.split("/").pop() || "Graph");
  useEffect(() => void (document.title = `${title} · Larmor Studio`), [title]);
  return <h1 className="ellipsis" style={{ fontSize: 13 }}>{title}</h1>;
}
