// SPDX-License-Identifier: Apache-2.0
import {
  type Api, ApiError, changeAt, diff, EditError, type GraphDoc, isShipped, type Issue, type Level, levelAt, type Library, type NodeReport, Optimistic, type Patch, type Selection,
} from "@larmor/graph";
import { createStore, type StoreApi } from "zustand/vanilla";
import { type Message, messages, say } from "../errors.ts";
import { Connection, type ServerEvent } from "./connection.ts";
import { lastRun, logOf } from "./history.ts";
import { Keyed } from "./keyed.ts";
import { longer } from "./log.ts";
import { changed, closed, opened } from "./probes.ts";
import { GroupReports } from "./reports.ts";
import { type GraphAnswer, nothing, type Page, type Probe, type RunState, type SessionState } from "./types.ts";

export { nothing, type Page, type Probe, type SessionState } from "./types.ts";

/** One open graph: the document with its edits on the way, states of nodes, what is chosen. Knows no React. */
export class Session {
  readonly store: StoreApi<SessionState>;
  readonly reports = new Keyed<NodeReport>();
  private groups = new GroupReports(this.reports);
  private optimistic: Optimistic;
  private connection: Connection | null = null;
  private backlog: ServerEvent[] | null = null;
  private underWay: Promise<unknown> = Promise.resolve();
  private steps: { way: "undo" | "redo"; before: Promise<unknown>; all: Promise<unknown> } = { way: "undo", before: Promise.resolve(), all: Promise.resolve() };
  private connected = false;
  private again: ReturnType<typeof setTimeout> | undefined;
  /** The event stream is there, and the document was read after it began. */
  ready = false;

  private constructor(
    readonly id: string,
    readonly api: Api,
    readonly client: string,
    readonly tell: (message: Message, kind: "info" | "error") => void,
    first: GraphAnswer,
  ) {
    this.optimistic = new Optimistic(first.graph);
    this.store = createStore<SessionState>(() => ({
      doc: first.graph, rev: first.rev, path: first.path, savedRev: first.saved_rev ?? first.rev, undo: null, redo: null, auto: true, issues: [], run: null, online: true, clients: 1,
      memory: { resident: 0, budget: 0 }, sending: false, log: [], runs: 0, at: [], selected: nothing, wires: [], probes: [], page: { kind: "canvas" },
    }));
    this.take(first);
  }

  static async open(api: Api, id: string, client: string, tell: (message: Message, kind: "info" | "error") => void): Promise<Session> {
    const session = new Session(id, api, client, tell, await api.json<GraphAnswer>(`/api/graphs/${id}`));
    void session.loadHistory();
    return session;
  }
  connect(make?: ConstructorParameters<typeof Connection>[4]) {
    this.connection = new Connection(this.api, this.id, this.client, {
      open: () => {
        this.connected = true;
        void this.resync();
      },
      event: (e) => this.receive(e),
      lost: () => {
        this.connected = this.ready = false;
        this.set({ online: false });
      },
    }, make);
  }
  reconnect() {
    this.connection?.retry();
  }
  /** Leaves the graph; it stays open on the server. */
  leave() {
    clearTimeout(this.again);
    this.connection?.close();
    this.connection = null;
  }

  get state(): SessionState {
    return this.store.getState();
  }
  private set(part: Partial<SessionState>) {
    this.store.setState(part);
  }
  /** Graphs that come with the program, as the server tells them. */
  pipelines: () => Library = () => ({});
  private levelAt(path: string[], doc = this.state.doc): Level {
    return levelAt(doc, path, this.pipelines());
  }
  get level(): Level {
    return this.levelAt(this.state.at);
  }
  /** The whole path of a node of the graph that is shown. */
  pathOf(id: string): string {
    return [...this.state.at, id].join("/");
  }

  // ---- edits

  /** Changes the graph that is shown. Words for the undo list; edits of one gesture share a merge key. */
  edit(label: string, change: (graph: GraphDoc, level: Level) => GraphDoc, merge?: string): boolean {
    const level = this.level;
    if (isShipped(level)) {
      this.tell(messages.shipped(level.graph.title || level.path.at(-1) || ""), "error");
      return false;
    }
    return this.editDocument(label, (doc) => changeAt(doc, level, (g) => change(g, level)), merge);
  }
  editDocument(label: string, change: (doc: GraphDoc) => GraphDoc, merge?: string): boolean {
    const doc = this.optimistic.doc;
    let patch: Patch;
    try {
      patch = diff(doc, change(doc));
    } catch (e) {
      if (!(e instanceof EditError)) throw e;
      this.tell({ text: e.message }, "error");
      return false;
    }
    if (patch.length === 0) return false;
    this.optimistic.add(patch, label, merge);
    this.show();
    void this.flush();
    return true;
  }

  /** Puts what the optimistic document shows into the store, without anything that has gone from selections. */
  private show() {
    const doc = this.optimistic.doc;
    const level = this.levelAt(this.state.at, doc);
    const at = level.path;
    const keep = (ids: string[], map: Record<string, unknown> | undefined) => (ids.every((id) => map && id in map) ? ids : ids.filter((id) => map && id in map));
    const { selected, wires, page } = this.state;
    const next = { nodes: keep(selected.nodes, level.graph.nodes), comments: keep(selected.comments, level.graph.comments), frames: keep(selected.frames, level.graph.frames) };
    const same = next.nodes === selected.nodes && next.comments === selected.comments && next.frames === selected.frames;
    this.set({
      doc,
      at: at.length === this.state.at.length ? this.state.at : at,
      selected: same ? selected : next,
      wires: keep(wires, level.graph.wires),
      page: page.kind === "dashboard" && !doc.dashboards?.[page.name] ? { kind: "canvas" } : page,
      sending: this.optimistic.waiting.length > 0,
    });
  }

  private async flush(): Promise<void> {
    // Not while the document is read: it would be unclear which edits are in it.
    while (!this.backlog) {
      const edit = this.optimistic.send();
      if (!edit) break;
      this.set({ sending: true });
      try {
        const sent = this.api.json<{ rev: number }>(`/api/graphs/${this.id}`, {
          method: "PATCH",
          body: JSON.stringify({ patch: edit.patch, label: edit.label, merge: edit.merge, client: this.client, rev: this.state.rev }),
          signal: AbortSignal.timeout(20000),
        });
        this.underWay = sent.catch(() => undefined);
        const answer = await sent;
        // Its own echo may have come first.
        if (answer.rev <= this.state.rev) this.optimistic.refuse(edit.id);
        else this.optimistic.answered(edit.id);
      } catch (e) {
        if (e instanceof ApiError && e.status === 0) {
          // Nobody knows whether it arrived; when the connection is back, the document tells. It is shown until then.
          this.set({ online: false });
          if (this.connected) this.connection?.retry();
          break;
        }
        if (!this.optimistic.waiting.some((w) => w.id === edit.id)) {
          await this.resync();  // it fell before the answer came, which was said
          continue;
        }
        const fallen = this.optimistic.refuse(edit.id);
        this.show();
        const conflict = e instanceof ApiError && e.status === 409;
        this.tell(conflict ? messages.conflict(edit.label) : { ...messages.refused(edit.label), advice: say(e).text + (say(e).advice ? " – " + say(e).advice : "") }, "error");
        for (const f of fallen) this.tell(messages.fallen(f.label), "error");
        if (conflict) await this.resync();
      }
    }
    this.show();
  }

  // ---- what the server says

  /** The whole graph from the server; events that come meanwhile are kept and follow. */
  private async resync(): Promise<void> {
    if (this.backlog) return;
    this.backlog = [];
    try {
      await this.underWay;
      this.take(await this.api.json<GraphAnswer>(`/api/graphs/${this.id}`));
      this.ready = this.connected;
      this.set({ online: this.connected });
      this.show();
    } catch (e) {
      if (e instanceof ApiError && e.status === 0) {
        this.set({ online: false });
        clearTimeout(this.again);
        this.again = setTimeout(() => this.connection?.retry(), 2000);
      } else this.tell(say(e), "error");
    } finally {
      const events = this.backlog ?? [];
      this.backlog = null;
      for (const e of events) this.receive(e);
    }
    void this.flush();
  }

  private take(answer: GraphAnswer) {
    this.optimistic.reset(answer.graph);
    this.groups.clear();
    this.set({
      rev: answer.rev, path: answer.path, savedRev: answer.saved_rev ?? this.state.savedRev, undo: answer.undo ?? null, redo: answer.redo ?? null, auto: answer.auto ?? true, issues: answer.issues ?? [],
      run: answer.running ? (this.state.run ?? { run: 0, state: "running", seconds: 0, ran: 0, cached: 0, failed: 0, since: performance.now() }) : this.state.run?.state === "running" ? null : this.state.run,
    });
    this.show();
    for (const report of Object.values(answer.nodes ?? {})) this.report(report);
  }

  private report(report: NodeReport) {
    this.groups.add(report, (path) => this.levelAt(path));
  }

  receive(e: ServerEvent) {
    if (this.backlog) return void this.backlog.push(e);
    switch (e.t) {
      case "patch": {
        const rev = Number(e.rev);
        if (rev <= this.state.rev) return;
        if (rev > this.state.rev + 1) return void this.resync();
        this.set({ rev, undo: (e.undo as string | null) ?? null, redo: (e.redo as string | null) ?? null });
        try {
          const patch = e.patch as Patch;
          const fallen = e.client === this.client ? this.optimistic.confirm(patch) : this.optimistic.remote(patch);
          for (const f of fallen) this.tell(messages.fallen(f.label), "error");
        } catch {
          return void this.resync();
        }
        return this.show();
      }
      case "node": {
        return this.report(e.node as NodeReport);
      }
      case "run": {
        const r = e as unknown as RunState & { resident_bytes?: number };
        const before = this.state.run;
        const since = before && before.run === r.run && before.state === "running" ? before.since : performance.now();
        this.set({ run: { run: r.run, state: r.state, seconds: r.seconds, ran: r.ran, cached: r.cached, failed: r.failed, since } });
        if (r.resident_bytes !== undefined && r.state !== "running") this.set({ memory: { ...this.state.memory, resident: r.resident_bytes } });
        if (r.state !== "running") this.set({ runs: this.state.runs + 1 });
        return;
      }
      case "issues":
        return this.set({ issues: (e.issues as Issue[]) ?? [] });
      case "log":
        return this.addLog([e]);
      case "saved":
        return this.set({ path: String(e.path ?? this.state.path), savedRev: Number(e.rev) });
      case "clients":
        return this.set({ clients: Number(e.n) });
      case "memory":
        return this.set({ memory: { resident: Number(e.resident_bytes), budget: Number(e.budget ?? this.state.memory.budget) } });
      case "auto":
        return this.set({ auto: Boolean(e.on) });
      case "reset":
        return void this.resync();
      default:
        return this.others?.(e);
    }
  }
  /** Events that concern more than this graph. */
  others: ((e: ServerEvent) => void) | undefined;

  private addLog(events: ServerEvent[]) {
    const log = longer(this.state.log, events);
    if (log !== this.state.log) this.set({ log });
  }
  /** What was before this page came; what events say meanwhile is newer. */
  private async loadHistory() {
    const last = lastRun(this.api, this.id);
    this.addLog(await logOf(this.api, this.id));
    const ended = await last;
    if (!ended || this.state.run) return;
    this.set({ run: ended.run, memory: { ...this.state.memory, resident: this.state.memory.resident || ended.resident } });
  }

  // ---- what the server does

  private async post(action: string, body: unknown = {}, method = "POST"): Promise<boolean> {
    try {
      await this.api.json(`/api/graphs/${this.id}/${action}`, { method, body: JSON.stringify(body) });
      return true;
    } catch (e) {
      this.tell(say(e), "error");
      return false;
    }
  }
  /** Waits until our edits have arrived, so that what follows sees them. */
  private async settled() {
    await this.until(() => this.optimistic.waiting.every((e) => e.state === "answered"));
  }
  private async until(reached: () => boolean) {
    for (let n = 0; n < 1000 && !reached(); n++) await new Promise((r) => setTimeout(r, 15));
  }
  undo() {
    return this.step("undo");
  }
  redo() {
    return this.step("redo");
  }
  /** Steps one way do not wait for each other; those the other way do, because only events say what can be undone or redone. */
  private step(way: "undo" | "redo"): Promise<void> {
    if (this.steps.way !== way) this.steps = { way, before: this.steps.all, all: this.steps.all };
    const one = this.oneStep(way, this.steps.before);
    this.steps.all = Promise.all([this.steps.all, one]);
    return one;
  }
  private async oneStep(way: "undo" | "redo", before: Promise<unknown>) {
    await before;
    await this.until(() => this.optimistic.waiting.length === 0);
    const none = () => this.tell(way === "undo" ? messages.noUndo : messages.noRedo, "info");
    if (this.state[way] === null) return none();
    try {
      const { rev } = await this.api.json<{ rev: number }>(`/api/graphs/${this.id}/${way}`, { method: "POST", body: "{}" });
      await this.until(() => this.state.rev >= rev);
    } catch (e) {
      if (e instanceof ApiError && e.status === 409) none();  // the step before took the last one, and has not come back
      else this.tell(say(e), "error");
    }
  }
  async runAll(force = false) {
    await this.settled();
    await this.post("run", { targets: [], force });
  }
  async runTo(paths: string[], force = false) {
    await this.settled();
    await this.post("run", { targets: paths, force });
  }
  cancel() {
    return this.post("cancel");
  }
  async setAuto(on: boolean) {
    this.set({ auto: on });
    if (!(await this.post("auto", { on }, "PUT"))) this.set({ auto: !on });
  }
  async save(path?: string): Promise<boolean> {
    await this.settled();
    try {
      const answer = await this.api.json<{ path: string; saved_rev: number }>(`/api/graphs/${this.id}/save`, { method: "POST", body: JSON.stringify(path === undefined ? {} : { path }) });
      this.set({ path: answer.path, savedRev: answer.saved_rev });
      return true;
    } catch (e) {
      this.tell(say(e), "error");
      return false;
    }
  }

  // ---- what is looked at

  select(selected: Partial<Required<Selection>>, wires: string[] = []) {
    this.set({ selected: { ...nothing, ...selected }, wires });
  }
  enter(path: string[]) {
    const level = this.levelAt(path);
    if (level.path.length < path.length) this.tell(messages.cannotEnter, "error");
    this.set({ at: level.path, selected: nothing, wires: [], page: { kind: "canvas" } });
  }
  setPage(page: Page) {
    this.set({ page });
  }
  /** Shows the value of an out-port. */
  probe(port: string, pinned = false) {
    this.set({ probes: opened(this.state.probes, port, pinned) });
  }
  changeProbe(key: string, what: Partial<Probe>) {
    this.set({ probes: changed(this.state.probes, key, what) });
  }
  closeProbe(key: string) {
    this.set({ probes: closed(this.state.probes, key) });
  }
}
