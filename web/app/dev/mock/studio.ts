// SPDX-License-Identifier: Apache-2.0
// A stand-in for `larmor studio`: keeps documents, patches, undo and events as the server does, and pretends to run.
import { apply, Catalogue, diff, findDefinition, type GraphDoc, type Issue, levelAt, type NodeReport, nodeView, type OpInfo, type Patch, PatchError, type RunReport, splitPort, topLevel, upstream } from "../../../packages/graph/src/index.ts";
import { catalogue as catalogueJson, examples } from "./catalogue.ts";
import { curve, image, type MockArray } from "./values.ts";

export class MockError extends Error {
  constructor(readonly status: number, readonly code: string, message: string, readonly advice = "") {
    super(message);
  }
}

interface Event {
  seq: number;
  t: string;
  [key: string]: unknown;
}
interface Undo {
  patch: Patch;
  label: string;
  merge?: string;
  at: number;
}
export type Listener = (event: Event) => void;

const hash = (text: string) => {
  let a = 0x811c9dc5, b = 0x1000193;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b + text.charCodeAt(i), 0x85ebca6b) ^ (b >>> 13);
  }
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
};

/** One open graph. */
export class MockGraph {
  rev = 1;
  saved = 1;
  auto = true;
  undos: Undo[] = [];
  redos: Undo[] = [];
  events: Event[] = [];
  seq = 0;
  listeners = new Set<Listener>();
  reports = new Map<string, NodeReport>();
  cache = new Map<string, { seconds: number[] }>();
  runs: (RunReport & { run: number; started: string })[] = [];
  logs: Event[] = [];
  running: { run: number; cancelled: boolean } | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly id: string, public path: string, public doc: GraphDoc, readonly pace: number) {}

  emit(event: { t: string; [key: string]: unknown }) {
    const e: Event = { seq: ++this.seq, ...event };
    this.events.push(e);
    if (this.events.length > 5000) this.events.shift();
    if (e.t === "log") this.logs.push(e);
    for (const l of this.listeners) l(e);
  }
  log(level: string, text: string, node = "") {
    this.emit({ t: "log", level, text, node, time: new Date().toISOString() });
  }

  patch(patch: Patch, label = "edit", merge?: string, client?: string): number {
    let next: GraphDoc;
    try {
      next = apply(this.doc, patch);
    } catch (e) {
      if (e instanceof PatchError) throw new MockError(409, "conflict", `the edit no longer applies: ${e.message}`, "the graph has changed meanwhile");
      throw e;
    }
    const inverse = diff(next, this.doc);
    const last = this.undos.at(-1);
    const now = Date.now();
    if (merge && last?.merge === merge && now - last.at < 1000) {
      const before = apply(apply(next, inverse), last.patch);
      this.undos[this.undos.length - 1] = { ...last, patch: diff(next, before), at: now };
    } else this.undos.push({ patch: inverse, label, merge, at: now });
    this.redos = [];
    this.take(next, patch, label, client);
    return this.rev;
  }
  undo(from: Undo[], to: Undo[]): string {
    const step = from.pop();
    if (!step) throw new MockError(409, "usage", "there is nothing to undo");
    const next = apply(this.doc, step.patch);
    to.push({ patch: diff(next, this.doc), label: step.label, at: 0 });
    this.take(next, step.patch, step.label, undefined);
    return step.label;
  }
  private take(next: GraphDoc, patch: Patch, label: string, client?: string) {
    this.doc = next;
    this.rev++;
    this.emit({ t: "patch", rev: this.rev, patch, label, client, undo: this.undos.at(-1)?.label ?? null, redo: this.redos.at(-1)?.label ?? null });
    this.emit({ t: "issues", issues: this.issues() });
    const drawn = patch.every((op) => /\/(at|size|title|note|folded|comments|frames|dashboards)(\/|$)/.test(op.path));
    if (this.auto && !drawn) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.run(), 200);
    }
  }

  issues(): Issue[] {
    const c = new Catalogue(catalogueJson), out: Issue[] = [];
    const level = topLevel(this.doc);
    for (const id of Object.keys(this.doc.nodes ?? {})) {
      const view = nodeView(level, id, c);
      if (view.problem) out.push({ kind: "error", node: id, message: view.problem, advice: "see the palette for what there is", code: "unknown_op" });
      for (const p of view.inputs) {
        const to = `${id}.${p.name}`;
        const fed = this.doc.wires?.[to] || Object.values(this.doc.inputs ?? {}).some((i) => i.to?.includes(to));
        if (p.required && !fed) out.push({ kind: "warning", node: id, port: p.name, message: `'${view.title}' needs a wire at '${p.name}'`, advice: `connect ${c.typeTitle(p.type).toLowerCase()}`, code: "missing_input" });
      }
    }
    return out;
  }

  /** Pretends to run everything, or what some nodes need; takes as long as the operations say. */
  async run(targets?: string[], force = false) {
    if (this.running) this.running.cancelled = true;
    const run = { run: this.runs.length + 1, cancelled: false };
    this.running = run;
    const started = Date.now(), startedAt = new Date().toISOString();
    const doc = this.doc;
    const level = topLevel(doc), c = new Catalogue(catalogueJson);
    const chosen = targets?.length ? upstream(doc, targets) : new Set(Object.keys(doc.nodes ?? {}));
    this.emit({ t: "run", run: run.run, state: "running", seconds: 0, ran: 0, cached: 0, failed: 0, resident_bytes: 0, peak_bytes: 0 });
    const done = new Map<string, string>();  // node -> hash, "" when it failed
    const todo = new Set(chosen);
    const counts = { ran: 0, cached: 0, failed: 0, skipped: 0 };
    let resident = 0;
    const set = (path: string, more: Partial<NodeReport>) => {
      const report = { ...(this.reports.get(path) ?? { path, state: "idle" as const }), ...more, path } as NodeReport;
      this.reports.set(path, report);
      this.emit({ t: "node", node: report });
    };
    const wiresOf = new Map<string, [string, string][]>();
    for (const [to, from] of Object.entries(doc.wires ?? {})) wiresOf.set(splitPort(to)[0], [...(wiresOf.get(splitPort(to)[0]) ?? []), [to, from]]);
    const sources = (id: string) => wiresOf.get(id) ?? [];
    const work = async (id: string, thread: number) => {
      const node = doc.nodes![id]!, view = nodeView(level, id, c);
      const inputs = sources(id);
      const missing = view.inputs.find((p) => p.required && !inputs.some(([to]) => to === `${id}.${p.name}`));
      const failedInput = inputs.some(([, from]) => !done.get(splitPort(from)[0]));
      const finish = (state: NodeReport["state"], more: Partial<NodeReport> = {}, h = "") => {
        done.set(id, h);
        set(id, { state, progress: 0, doing: "", warnings: [], error: "", advice: "", error_at: "", ...more });
      };
      if (view.problem) return counts.failed++, finish("error", { error: view.problem, advice: "choose an operation of the palette" });
      if (failedInput) return counts.skipped++, finish("skipped");
      if (missing) return counts.skipped++, finish("idle", { warnings: [`needs a wire at '${missing.name}'`] });
      const definition = node.graph ? findDefinition(level, node.graph)?.graph : undefined;
      const h = hash(JSON.stringify([node.op, definition, node.settings, node.sweeps, node.mode, node.loop, inputs.map(([to, from]) => [splitPort(to)[1], done.get(splitPort(from)[0]), splitPort(from)[1]])]));
      const before = this.reports.get(id);
      const outputs = Object.fromEntries(view.outputs.map((p) => {
        const value = mockValue(p.type, h + p.name);
        const unchanged = before?.outputs?.[p.name]?.hash === value.hash;
        return [p.name, { type: p.type, describe: value.describe, hash: value.hash, bytes: value.bytes, resident: true, unchanged, ...(value.shape ? { shape: value.shape, axes: ["x", "y", "z"] } : {}) }];
      }));
      const bytes = Object.values(outputs).reduce((s, o) => s + o.bytes, 0);
      resident += bytes;
      const known = this.cache.get(h);
      const nominal = (0.1 + (Number.parseInt(h.slice(0, 3), 16) % 100) / 90) * (node.op === "dce.fit" ? 2.5 : node.op?.startsWith("source.") ? 0.05 : 1) * this.pace;
      const history = this.cache.get("op " + id)?.seconds ?? [];
      const mean = history.length ? history.reduce((a, b) => a + b, 0) / history.length : 0;
      const sd = history.length > 1 ? Math.sqrt(history.reduce((s, x) => s + (x - mean) ** 2, 0) / (history.length - 1)) : 0;
      const timing = { mean_seconds: mean, sd_seconds: sd, expected_seconds: mean, runs: history.length };
      if (node.mode === "freeze" && before?.outputs) return finish("frozen", {}, h);
      if (known && !force) return counts.cached++, finish(node.mode === "bypass" ? "bypassed" : "cached", { outputs, output_bytes: bytes, cache_hits: (before?.cache_hits ?? 0) + 1, seconds: 0, ...timing }, h);
      const t0 = Date.now();
      set(id, { state: "running", op: node.op, progress: 0, started: (t0 - started) / 1000, thread, warnings: [], error: "", ...timing });
      const steps = nominal < 0.02 ? 1 : Math.min(20, Math.max(2, Math.round(nominal * 10)));
      for (let s = 1; s <= steps; s++) {
        await new Promise((r) => setTimeout(r, (1000 * nominal) / steps));
        if (run.cancelled) return finish("cancelled");
        if (s < steps) set(id, { progress: s / steps, doing: s < steps / 2 ? "reading" : "computing" });
      }
      const seconds = (Date.now() - t0) / 1000;
      if (node.settings?.fail === true) {
        counts.failed++;
        this.log("error", `${id}: ZeroDivisionError: division by zero`, id);
        return finish("error", { error: "ZeroDivisionError: division by zero", advice: "see the traceback in the log", error_at: "despeckle.py:12", seconds, log: 'Traceback (most recent call last):\n  File "despeckle.py", line 12, in compute\n    gain = 1 / (1 - strength)\nZeroDivisionError: division by zero' });
      }
      this.cache.set(h, { seconds: [] });
      this.cache.set("op " + id, { seconds: [...history, seconds].slice(-20) });
      counts.ran++;
      const warnings = node.op === "dce.fit" ? ["312 of 9,408 voxels did not converge"] : [];
      if (warnings[0]) this.log("warning", `${id}: ${warnings[0]}`, id);
      finish(warnings.length ? "warning" : "done", { outputs, output_bytes: bytes, peak_bytes: Math.round(bytes * 1.7), seconds, rounds: node.loop?.times ?? 1, warnings, ...timing }, h);
    };
    for (const id of chosen) set(id, { state: "waiting", progress: 0 });
    const lanes = new Map<number, Promise<void>>();
    while ((todo.size || lanes.size) && !run.cancelled) {
      for (const id of todo) {
        if (lanes.size >= 4) break;
        if (!sources(id).every(([, from]) => done.has(splitPort(from)[0]) || !chosen.has(splitPort(from)[0]))) continue;
        todo.delete(id);
        const lane = [0, 1, 2, 3].find((l) => !lanes.has(l))!;
        const promise = work(id, lane).then(() => void lanes.delete(lane));
        lanes.set(lane, promise);
      }
      if (lanes.size === 0) break;
      await Promise.race(lanes.values());
    }
    for (const id of todo) set(id, { state: "cancelled" });
    const seconds = (Date.now() - started) / 1000;
    const state = run.cancelled ? "cancelled" : counts.failed ? "failed" : "done";
    this.runs.push({ run: run.run, started: startedAt, state, seconds, peak_bytes: Math.round(resident * 1.3), resident_bytes: resident, ...counts, nodes: Object.fromEntries([...chosen].map((id) => [id, this.reports.get(id)!])) });
    if (this.running === run) this.running = null;
    this.log(state === "failed" ? "error" : "info", `run ${run.run} ${state}: ${counts.ran} ran, ${counts.cached} from the cache, ${counts.failed} failed, ${seconds.toFixed(2)} s`);
    this.emit({ t: "run", run: run.run, state, seconds, ...counts, resident_bytes: resident, peak_bytes: Math.round(resident * 1.3) });
    this.emit({ t: "memory", resident_bytes: resident, budget: 2 ** 31 });
  }
}

export interface MockValue {
  type: string;
  hash: string;
  describe: string;
  bytes: number;
  shape?: number[];
  array?: MockArray;  // made when it is first looked at
  curve?: { x: number[]; y: number[] };
  plain?: unknown;
}
const made = new Map<string, MockValue>();
export function mockValue(type: string, key: string): MockValue {
  const h = hash(type + key).padEnd(32, "0");
  const old = made.get(h);
  if (old) return old;
  const seed = Number.parseInt(h.slice(0, 6), 16);
  const c = new Catalogue(catalogueJson);
  let value: MockValue;
  if (c.accepts("array", type) && type !== "number" && type !== "numbers" && type !== "any") {
    value = { type, hash: h, describe: `${type === "array" ? "" : type + " "}${type === "kspace" ? "c64" : "f32"} (96 x, 96 y, 12 z)`, bytes: 96 * 96 * 12 * (type === "kspace" ? 8 : 4), shape: [96, 96, 12] };
    Object.defineProperty(value, "array", { get: () => (cached ??= image(seed % 40, type === "kspace" || type === "array")), enumerable: false });
    let cached: MockArray | undefined;
  } else if (type === "curve" || type === "numbers") value = { type, hash: h, describe: "curve of 60 points", bytes: 960, curve: curve(seed) };
  else if (type === "number") value = { type, hash: h, describe: String(seed % 100), bytes: 8, plain: seed % 100 };
  else if (type === "table") value = { type, hash: h, describe: "table of 3 rows", bytes: 96, plain: { label: ["1", "2", "3"], mean: [0.2, 0.3, 0.1] } };
  else value = { type, hash: h, describe: "'voxels fitted: 9,096 of 9,408'", bytes: 32, plain: "voxels fitted: 9,096 of 9,408" };
  made.set(h, value);
  return value;
}

/** All graphs of the stand-in server. `pace` scales how long operations pretend to take. */
export class MockStudio {
  readonly graphs = new Map<string, MockGraph>();
  private next = 1;
  readonly files: Record<string, { name: string; dir: boolean; size: number; mtime: number }[]> = {
    "/data": [{ name: "dce", dir: true, size: 0, mtime: 1.76e9 }, { name: "kspace", dir: true, size: 0, mtime: 1.76e9 }, { name: "brain.nii.gz", dir: false, size: 7340032, mtime: 1.761e9 }, { name: "first.json", dir: false, size: 4200, mtime: 1.762e9 }],
    "/data/dce": [{ name: "series.nii.gz", dir: false, size: 91234567, mtime: 1.75e9 }, { name: "T1.nii.gz", dir: false, size: 3234567, mtime: 1.75e9 }, { name: "pipeline.json", dir: false, size: 5600, mtime: 1.75e9 }],
    "/data/kspace": [{ name: "FFE_MS.npy", dir: false, size: 52428800, mtime: 1.75e9 }, { name: "brain.cfl", dir: false, size: 12428800, mtime: 1.75e9 }],
  };

  constructor(readonly pace = 1) {}

  open(body: { path?: string; graph?: GraphDoc; example?: string }): MockGraph {
    if (body.path !== undefined) {
      const open = [...this.graphs.values()].find((g) => g.path === body.path);
      if (open) return open;
    }
    if (body.example !== undefined && !examples[body.example]) throw new MockError(404, "unknown_name", `no example called '${body.example}'`);
    const doc = body.graph ?? (body.example !== undefined ? examples[body.example]!() : examples.dce!());
    const id = `g${this.next++}`;
    const g = new MockGraph(id, body.path ?? "", doc, this.pace);
    this.graphs.set(id, g);
    if (g.auto) void g.run();
    return g;
  }
  graph(id: string): MockGraph {
    const g = this.graphs.get(id);
    if (!g) throw new MockError(404, "unknown_name", `no graph '${id}' is open`, "open it again");
    return g;
  }
  describe(g: MockGraph) {
    return { id: g.id, path: g.path, rev: g.rev, graph: g.doc, issues: g.issues(), nodes: Object.fromEntries(g.reports), auto: g.auto, running: g.running !== null, undo: g.undos.at(-1)?.label ?? null, redo: g.redos.at(-1)?.label ?? null, saved_rev: g.saved, seq: g.seq };
  }
  form(g: MockGraph, path: string) {
    const keys = path.split("/");
    const level = levelAt(g.doc, keys.slice(0, -1));
    const id = keys.at(-1)!;
    const node = level.graph.nodes?.[id];
    if (!node) throw new MockError(404, "unknown_name", `no node '${path}'`);
    const view = nodeView(level, id, new Catalogue(catalogueJson));
    const settings = view.settings.map((s) => ({ ...s, value: node.settings?.[s.name] ?? s.default ?? null }));
    const warnings = node.op === "filter.gaussian" && Number(node.settings?.sigma ?? 1.5) > 10 ? ["wider than half of the image"] : [];
    return { settings, hidden: node.op === "dce.fit" && node.settings?.model === "tofts" ? ["bounds"] : [], warnings };
  }
  value(g: MockGraph, port: string): MockValue {
    const dot = port.lastIndexOf(".");
    const output = g.reports.get(port.slice(0, dot))?.outputs?.[port.slice(dot + 1)];
    if (!output?.hash) throw new MockError(404, "not_computed", `'${port}' has not been computed`, "run it first");
    return made.get(output.hash)!;
  }
}

export const opsOf = (): OpInfo[] => catalogueJson.ops;
export { catalogueJson };
