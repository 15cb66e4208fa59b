// SPDX-License-Identifier: Apache-2.0
// The HTTP and WebSocket side of the stand-in server, as far as the client uses it.
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Patch } from "../../../packages/graph/src/index.ts";
import { WebSocketServer } from "ws";
import { catalogueJson, MockError, MockStudio } from "./studio.ts";
import type { MockArray } from "./values.ts";

async function body<T>(request: IncomingMessage): Promise<T> {
  const parts: Buffer[] = [];
  for await (const p of request) parts.push(p as Buffer);
  return parts.length ? JSON.parse(Buffer.concat(parts).toString()) : ({} as T);
}

/** Numbers of a plane, or of all; axes in the order asked for, others at their index. */
export function slice(a: MockArray, query: URLSearchParams) {
  const want = query.get("axes")?.split(",").filter(Boolean) ?? a.axes;
  const at = Object.fromEntries((query.get("at") ?? "").split(",").filter(Boolean).map((p) => p.split(":") as [string, string]));
  const most = Number(query.get("max") ?? 1e9);
  const dims = want.map((name) => a.axes.indexOf(name));
  const steps = dims.map((d) => Math.max(1, Math.ceil(a.shape[d]! / most)));
  const shape = dims.map((d, i) => Math.ceil(a.shape[d]! / steps[i]!));
  const strides = a.shape.map((_, d) => a.shape.slice(0, d).reduce((p, n) => p * n, 1));
  const base = a.axes.reduce((s, name, d) => (dims.includes(d) ? s : s + Number(at[name] ?? 0) * strides[d]!), 0);
  const complex = a.dtype === "c64", part = query.get("part") ?? "native";
  const pairs = complex && part === "native";
  const total = shape.reduce((p, n) => p * n, 1);
  const out = new Float32Array(total * (pairs ? 2 : 1));
  for (let i = 0; i < total; i++) {
    let rest = i, o = base;
    for (let k = 0; k < shape.length; k++) {
      o += (rest % shape[k]!) * steps[k]! * strides[dims[k]!]!;
      rest = Math.floor(rest / shape[k]!);
    }
    if (!complex) out[i] = part === "phase" ? 0 : part === "imag" ? 0 : part === "abs" ? Math.abs(a.data[o]!) : a.data[o]!;
    else {
      const re = a.data[2 * o]!, im = a.data[2 * o + 1]!;
      if (pairs) {
        out[2 * i] = re;
        out[2 * i + 1] = im;
      } else out[i] = part === "real" ? re : part === "imag" ? im : part === "phase" ? Math.atan2(im, re) : Math.hypot(re, im);
    }
  }
  return { out, shape, axes: want, steps, dtype: pairs ? "c64" : "f32" };
}

function minmax(a: MockArray): [number, number] {
  let lo = Infinity, hi = -Infinity;
  const n = a.dtype === "c64" ? a.data.length / 2 : a.data.length;
  for (let i = 0; i < n; i++) {
    const v = a.dtype === "c64" ? Math.hypot(a.data[2 * i]!, a.data[2 * i + 1]!) : a.data[i]!;
    lo = Math.min(lo, v);
    hi = Math.max(hi, v);
  }
  return [lo, hi];
}

function tree(studio: MockStudio, g: string, port: string) {
  const v = studio.value(studio.graph(g), port);
  const head = { type: v.type, describe: v.describe, hash: v.hash, bytes: v.bytes };
  const arr = (a: MockArray, path: string) => {
    const [min, max] = minmax(a);
    return { array: true, path, dtype: a.dtype, shape: a.shape, axes: a.axes, min, max };
  };
  if (v.array && v.type === "array") return { ...head, value: arr(v.array, "") };
  if (v.array) return { ...head, value: { data: arr(v.array, "data"), affine: [[2, 0, 0, -96], [0, 2, 0, -96], [0, 0, 4, -24], [0, 0, 0, 1]], spacing: [2, 2, 4], unit: "a.u.", meta: {} } };
  if (v.curve) return { ...head, value: { x: v.curve.x, y: v.curve.y, x_unit: "s", unit: "mM" } };
  return { ...head, value: v.plain };
}

function statistics(a: MockArray, query: URLSearchParams) {
  const s = slice(a, new URLSearchParams({ axes: query.get("axes") ?? a.axes.join(","), at: query.get("at") ?? "", part: a.dtype === "c64" ? "abs" : "native" }));
  const v = [...s.out].sort((x, y) => x - y), n = v.length, mean = v.reduce((p, x) => p + x, 0) / n;
  const q = (p: number) => v[Math.min(n - 1, Math.floor((p / 100) * n))]!;
  const bins = Number(query.get("bins") ?? 64), lo = v[0]!, hi = v[n - 1]!;
  const counts = new Array<number>(bins).fill(0);
  for (const x of v) counts[Math.min(bins - 1, Math.floor(((x - lo) / (hi - lo || 1)) * bins))]!++;
  return { count: n, min: lo, max: hi, mean, sd: Math.sqrt(v.reduce((p, x) => p + (x - mean) ** 2, 0) / n), median: q(50), percentiles: { 1: q(1), 2: q(2), 98: q(98), 99: q(99) }, histogram: { edges: Array.from({ length: bins + 1 }, (_, i) => lo + ((hi - lo) * i) / bins), counts } };
}

/** Answers paths below /api; false when it is none of ours. */
export async function answer(studio: MockStudio, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  const url = new URL(request.url ?? "/", "http://mock");
  if (!url.pathname.startsWith("/api/")) return false;
  const send = (value: unknown, status = 200) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(value));
  };
  try {
    const method = request.method ?? "GET";
    const [what, id, action, more] = url.pathname.slice(5).split("/");
    const token = process.env.LARMOR_MOCK_TOKEN;
    if (token && request.headers.authorization !== `Bearer ${token}` && url.searchParams.get("token") !== token) throw new MockError(403, "token", "this server asks for a token", "it was printed when larmor studio started");
    if (what === "version") return send({ larmor: "0.1.0 (mock)", api: 1 }), true;
    if (what === "catalogue") return send(catalogueJson), true;
    if (what === "files") {
      const path = url.searchParams.get("path") || "/data";
      const entries = studio.files[path];
      if (!entries) throw new MockError(403, "forbidden", `'${path}' is not below the folders of this server`);
      return send({ path, entries, roots: ["/data"] }), true;
    }
    if (what !== "graphs") throw new MockError(404, "unknown_name", `nothing at ${url.pathname}`);
    if (!id) {
      if (method === "GET") return send([...studio.graphs.values()].map((g) => ({ id: g.id, path: g.path, title: g.doc.title ?? "", rev: g.rev, clients: g.listeners.size }))), true;
      const g = studio.open(await body(request));
      return send({ id: g.id, path: g.path, rev: g.rev, graph: g.doc }), true;
    }
    const g = studio.graph(id);
    if (!action) {
      if (method === "GET") return send(studio.describe(g)), true;
      if (method === "DELETE") return studio.graphs.delete(id), send({}), true;
      const b = await body<{ patch: Patch; label?: string; merge?: string; client?: string }>(request);
      return send({ rev: g.patch(b.patch, b.label, b.merge, b.client) }), true;
    }
    const port = url.searchParams.get("port") ?? "";
    switch (action) {
      case "undo": return send({ label: g.undo(g.undos, g.redos), rev: g.rev }), true;
      case "redo": return send({ label: g.undo(g.redos, g.undos), rev: g.rev }), true;
      case "save": {
        const b = await body<{ path?: string }>(request);
        if (b.path) g.path = b.path;
        if (!g.path) throw new MockError(400, "usage", "the graph has no file yet", "save it under a name");
        g.saved = g.rev;
        g.emit({ t: "saved", path: g.path, rev: g.rev });
        return send({ path: g.path, saved_rev: g.rev }), true;
      }
      case "run": {
        const b = await body<{ targets?: string[]; force?: boolean }>(request);
        void g.run(b.targets, b.force);
        return send({ run: g.runs.length + 1 }), true;
      }
      case "cancel":
        if (g.running) g.running.cancelled = true;
        return send({}), true;
      case "auto":
        g.auto = (await body<{ on?: boolean }>(request)).on ?? true;
        return send({ on: g.auto }), true;
      case "form": return send(studio.form(g, url.searchParams.get("node") ?? "")), true;
      case "value": return send(tree(studio, id, port)), true;
      case "runs": {
        if (!more) return send(g.runs.map(({ run, started, seconds, state, peak_bytes }) => ({ run, started, seconds, state, peak_bytes }))), true;
        const run = g.runs.find((r) => String(r.run) === more);
        if (!run) throw new MockError(404, "unknown_name", `no run ${more}`);
        return send(run), true;
      }
      case "log": return send(g.logs), true;
      case "statistics": {
        const v = studio.value(g, port);
        if (!v.array) throw new MockError(400, "type", "statistics are for arrays");
        return send(statistics(v.array, url.searchParams)), true;
      }
      case "array": {
        const v = studio.value(g, port);
        if (!v.array) throw new MockError(400, "type", `'${port}' holds no array`);
        const s = slice(v.array, url.searchParams);
        response.writeHead(200, { "Content-Type": "application/octet-stream", "X-Larmor-Shape": s.shape.join(","), "X-Larmor-Axes": s.axes.join(","), "X-Larmor-Dtype": s.dtype, "X-Larmor-Step": s.steps.join(","), "X-Larmor-Hash": v.hash });
        response.end(Buffer.from(s.out.buffer));
        return true;
      }
    }
    throw new MockError(404, "unknown_name", `nothing at ${url.pathname}`);
  } catch (e) {
    const m = e instanceof MockError ? e : new MockError(500, "internal", String(e));
    send({ error: { code: m.code, message: m.message, advice: m.advice, where: [] } }, m.status);
    return true;
  }
}

/** The event stream of a graph, resumed from `since`. */
export function events(studio: MockStudio, server: Pick<Server, "on">) {
  const wss = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request: IncomingMessage, socket, head) => {
    const url = new URL(request.url ?? "/", "http://mock");
    if (url.pathname !== "/api/events") return;
    const g = studio.graphs.get(url.searchParams.get("graph") ?? "");
    if (!g) return void socket.destroy();
    wss.handleUpgrade(request, socket, head, (ws) => {
      const since = Number(url.searchParams.get("since") ?? g.seq);
      if (g.events.length && since < g.events[0]!.seq - 1) ws.send(JSON.stringify({ t: "reset", seq: g.seq }));
      else for (const e of g.events) if (e.seq > since) ws.send(JSON.stringify(e));
      const listener = (e: unknown) => ws.send(JSON.stringify(e));
      g.listeners.add(listener);
      g.emit({ t: "clients", n: g.listeners.size });
      ws.on("close", () => {
        g.listeners.delete(listener);
        g.emit({ t: "clients", n: g.listeners.size });
      });
    });
  });
}
