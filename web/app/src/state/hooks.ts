// SPDX-License-Identifier: Apache-2.0
import { type NodeReport, type Level, levelAt } from "@larmor/graph";
import { createContext, useCallback, useContext, useMemo, useSyncExternalStore } from "react";
import { useStore } from "zustand";
import { useShallow } from "zustand/react/shallow";
import { useApp } from "./app.ts";
import type { Session, SessionState } from "./session.ts";

export const SessionContext = createContext<Session | null>(null);

/** The graph that this part of the page shows. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("no graph here");
  return session;
}
export function useGraph<T>(select: (state: SessionState) => T): T {
  return useStore(useSession().store, select);
}
export function useGraphShallow<T>(select: (state: SessionState) => T): T {
  return useStore(useSession().store, useShallow(select));
}
export const useCatalogue = () => useApp((s) => s.catalogue);
export const useApi = () => useApp((s) => s.api);

/** The report of one node, by its whole path. Draws again when this node changes, and for no other. */
export function useReport(path: string): NodeReport | undefined {
  const { reports } = useSession();
  const subscribe = useCallback((f: () => void) => reports.subscribe(path, f), [reports, path]);
  return useSyncExternalStore(subscribe, () => reports.get(path));
}
/** All reports, once a frame at most. */
export function useReports(): ReadonlyMap<string, NodeReport> {
  const { reports } = useSession();
  const subscribe = useCallback((f: () => void) => reports.subscribeAll(f), [reports]);
  useSyncExternalStore(subscribe, () => reports.version);
  return reports.all();
}
export function useLevel(): Level {
  const doc = useGraph((s) => s.doc);
  const at = useGraph((s) => s.at);
  const { pipelines: library } = useCatalogue();
  return useMemo(() => levelAt(doc, at, library), [doc, at, library]);
}
/** The report of the out-port with a whole path: "loop/inner.out". */
export function usePortReport(port: string) {
  const dot = port.lastIndexOf(".");
  return useReport(port.slice(0, dot))?.outputs?.[port.slice(dot + 1)];
}
