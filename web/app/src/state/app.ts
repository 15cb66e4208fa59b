// SPDX-License-Identifier: Apache-2.0
import { type Api, ApiError, Catalogue, type CatalogueJson, type GraphDoc, httpApi } from "@larmor/graph";
import { create } from "zustand";
import { type Message, messages, say } from "../errors.ts";
import { Session } from "./session.ts";

export interface Toast extends Message {
  key: number;
  kind: "info" | "error";
}
export type Dialog =
  | { kind: "open" }
  | { kind: "save" }
  | { kind: "file"; title: string; folder?: boolean; save?: boolean; endings?: string[]; start?: string; done: (path: string) => void }
  | { kind: "shortcuts" }
  | { kind: "find" }
  | { kind: "commands" }
  | { kind: "close"; id: string }
  | { kind: "source"; op: string; at: string }
  | { kind: "ask"; title: string; label: string; value: string; done: (value: string) => void };

export type DockTab = "probe" | "problems" | "log" | "profiler";
export interface Preferences {
  theme: "system" | "light" | "dark";
  palette: boolean;
  inspector: boolean;
  dock: boolean;
  dockTab: DockTab;
  dockHeight: number;
  paletteWidth: number;
  inspectorWidth: number;
  thumbnails: boolean;
  minimap: boolean;
  snap: boolean;
}
const defaults: Preferences = { theme: "system", palette: true, inspector: true, dock: false, dockTab: "probe", dockHeight: 340, paletteWidth: 236, inspectorWidth: 312, thumbnails: true, minimap: true, snap: true };

export interface Tab {
  id: string;
  session: Session;
}

export interface AppState {
  status: "loading" | "token" | "offline" | "ready";
  statusText: string;
  api: Api;
  version: string;
  catalogue: Catalogue;
  tabs: Tab[];
  active: string | null;
  toasts: Toast[];
  dialog: Dialog | null;
  preferences: Preferences;
}

export const client = "c" + Math.random().toString(36).slice(2, 10);
const tokenKey = "larmor.token", preferencesKey = "larmor.preferences", tabsKey = "larmor.tabs";

function stored<T>(key: string, fallback: T): T {
  try {
    return { ...fallback, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as T) };
  } catch {
    return fallback;
  }
}
function firstToken(): string | undefined {
  const query = new URLSearchParams(location.search);
  const given = query.get("token");
  if (given) {
    // Not left in the address bar, where it would be copied and shown.
    sessionStorage.setItem(tokenKey, given);
    query.delete("token");
    history.replaceState(null, "", location.pathname + (query.size ? "?" + query.toString() : "") + location.hash);
  }
  return given ?? sessionStorage.getItem(tokenKey) ?? undefined;
}

export const useApp = create<AppState>(() => ({
  status: "loading",
  statusText: "",
  api: httpApi("", typeof location === "undefined" ? undefined : firstToken()),
  version: "",
  catalogue: new Catalogue({ types: {}, ops: [] }),
  tabs: [],
  active: null,
  toasts: [],
  dialog: null,
  preferences: typeof localStorage === "undefined" ? defaults : stored(preferencesKey, defaults),
}));

const get = useApp.getState, set = useApp.setState;

let toasts = 0;
export function tell(message: Message, kind: "info" | "error" = "info") {
  // Saying the same thing twice helps nobody.
  const same = get().toasts.find((t) => t.text === message.text && t.advice === message.advice);
  const toast: Toast = { ...message, kind, key: ++toasts };
  set({ toasts: [...get().toasts.filter((t) => t !== same), toast].slice(-4) });
  setTimeout(() => dismiss(toast.key), kind === "error" ? 9000 : 4000);
}
export const dismiss = (key: number) => set({ toasts: get().toasts.filter((t) => t.key !== key) });
export const openDialog = (dialog: Dialog | null) => set({ dialog });

export function prefer(what: Partial<Preferences>) {
  set({ preferences: { ...get().preferences, ...what } });
  try {
    localStorage.setItem(preferencesKey, JSON.stringify(get().preferences));
  } catch {
    // A browser that keeps nothing still works; it only forgets.
  }
}
export function showDock(tab: DockTab) {
  prefer({ dock: true, dockTab: tab });
}

export async function loadCatalogue() {
  set({ catalogue: new Catalogue(await get().api.json<CatalogueJson>("/api/catalogue")) });
}

/** Finds the server, its catalogue and what is open there. */
export async function start(): Promise<void> {
  try {
    const { larmor } = await get().api.json<{ larmor: string }>("/api/version");
    set({ version: larmor });
    await loadCatalogue();
    if (!location.pathname.startsWith("/d/")) await openFirst();
    set({ status: "ready" });
  } catch (e) {
    if (e instanceof ApiError && (e.status === 401 || e.status === 403)) return set({ status: "token", statusText: sessionStorage.getItem(tokenKey) ? "bad" : "" });
    const m = say(e);
    set({ status: "offline", statusText: m.text + (m.advice ? ": " + m.advice : "") });
    setTimeout(() => void start(), 2000);
  }
}
export function enterToken(token: string) {
  sessionStorage.setItem(tokenKey, token);
  set({ api: httpApi("", token), status: "loading" });
  void start();
}

async function openFirst() {
  const open = await get().api.json<{ id: string }[] | { graphs: { id: string }[] }>("/api/graphs");
  const ids = (Array.isArray(open) ? open : open.graphs).map((g) => g.id);
  const wanted = (JSON.parse(sessionStorage.getItem(tabsKey) ?? "null") as string[] | null)?.filter((id) => ids.includes(id));
  const hash = addressed();
  const chosen = wanted?.length ? wanted : ids;
  if (hash && ids.includes(hash) && !chosen.includes(hash)) chosen.push(hash);
  if (chosen.length === 0) await openGraph({ graph: { larmor: 1, title: "Untitled" } });
  for (const id of chosen) await attach(id);
  if (hash && chosen.includes(hash)) activate(hash);
  else if (hash) tell(messages.notOpen);
  addEventListener("hashchange", () => void follow());
}
/** The graph that the address names. */
const addressed = () => /^#\/g\/([\w-]+)/.exec(location.hash)?.[1];
/** Somebody pasted or changed the address. */
async function follow() {
  const id = addressed();
  if (!id || id === get().active) return;
  try {
    await attach(id);
  } catch (e) {
    if (get().active) activate(get().active!);
    tell(e instanceof ApiError && e.status === 404 ? messages.notOpen : say(e), "error");
  }
}

const remember = () => sessionStorage.setItem(tabsKey, JSON.stringify(get().tabs.map((t) => t.id)));

/** A tab on a graph that is open on the server. */
async function attach(id: string) {
  const old = get().tabs.find((t) => t.id === id);
  if (old) return activate(id);
  const session = await Session.open(get().api, id, client, tell);
  session.others = (e) => {
    if (e.t === "closed") {
      tell(messages.closed(session.state.path.split("/").pop() || session.state.doc.title || "The graph"));
      void closeTab(id, false);
    }
    if (e.t === "catalogue") void loadCatalogue().catch((error: unknown) => tell(say(error), "error"));
  };
  session.pipelines = () => get().catalogue.pipelines;
  session.connect();
  set({ tabs: [...get().tabs, { id, session }] });
  remember();
  activate(id);
}
export function activate(id: string) {
  set({ active: id });
  history.replaceState(null, "", location.pathname + location.search + "#/g/" + id);
}
export async function openGraph(what: { path: string } | { graph: GraphDoc } | { example: string }) {
  try {
    const { id } = await get().api.json<{ id: string }>("/api/graphs", { method: "POST", body: JSON.stringify(what) });
    await attach(id);
  } catch (e) {
    tell(say(e), "error");
  }
}
/** `closeThere`: on the server too, when nobody else looks at it. */
export async function closeTab(id: string, closeThere: boolean) {
  const { tabs, active, api } = get();
  const at = tabs.findIndex((t) => t.id === id);
  const tab = tabs[at];
  if (!tab) return;
  const last = tab.session.state.clients <= 1;
  tab.session.leave();
  const rest = tabs.filter((t) => t !== tab);
  set({ tabs: rest });
  remember();
  if (active === id) {
    const next = rest[Math.min(at, rest.length - 1)];
    if (next) activate(next.id);
    else set({ active: null });
  }
  if (closeThere && last) await api.json(`/api/graphs/${id}`, { method: "DELETE" }).catch((e: unknown) => tell(say(e), "error"));
  if (get().tabs.length === 0) await openGraph({ graph: { larmor: 1, title: "Untitled" } });
}
export const activeSession = (): Session | null => get().tabs.find((t) => t.id === get().active)?.session ?? null;
