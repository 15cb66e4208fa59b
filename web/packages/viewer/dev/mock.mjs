// SPDX-License-Identifier: Apache-2.0
// The value, array, statistics and download calls of the server over values.mjs, and the files of the built demo page.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { values } from "./values.mjs";

const dist = join(fileURLToPath(new URL(".", import.meta.url)), "dist");
const made = values();
const revision = {};

function leafAt(value, path) {
  let v = value;
  if (path) for (const key of path.split(".")) v = v?.[key];
  return v;
}
const finite = (a) => {
  let [min, max] = [Infinity, -Infinity];
  if (a.dtype.startsWith("c")) return [null, null];
  for (const v of a.data) {
    if (v < min) min = v;
    if (v > max) max = v;
  }
  return min <= max ? [min, max] : [null, null];
};
function tree(v, path = "") {
  if (v && typeof v === "object" && v.array) {
    const [min, max] = finite(v);
    return { array: true, path, dtype: v.dtype, shape: v.shape, axes: v.axes, min, max };
  }
  if (Array.isArray(v)) return v.slice(0, 4096).map((x, i) => tree(x, path ? `${path}.${i}` : String(i)));
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, tree(x, path ? `${path}.${k}` : k)]));
  return typeof v === "number" && Number.isNaN(v) ? null : v;
}
const typeOf = (v) => (v === null ? "none" : v.array ? "array" : Array.isArray(v) ? "list" : typeof v === "object" ? v.$type : typeof v === "string" ? "text" : typeof v);
const describe = (v) => (v?.array ? `${v.dtype} (${v.axes.map((a, i) => `${v.shape[i]} ${a}`).join(", ")})` : v?.data?.array ? `${v.$type} ${describe(v.data)}` : typeOf(v));
const pairs = (text) => (text ? text.split(",").map((p) => p.split(":")) : []);

/** Elements of a slice as [re, im] or numbers, with shape and step. */
function cut(a, axes, at, ranges, max) {
  const strides = a.shape.map((_, k) => a.shape.slice(0, k).reduce((p, q) => p * q, 1));
  let offset = 0;
  a.axes.forEach((name, k) => {
    if (!axes.includes(name)) offset += Math.min(a.shape[k] - 1, Number(at[name] ?? 0)) * strides[k];
  });
  const dims = axes.map((name) => {
    const k = a.axes.indexOf(name);
    if (k < 0) throw Object.assign(new Error(`no axis called '${name}'; there are ${a.axes.join(", ")}`), { status: 400 });
    const [begin, end] = ranges[name] ?? [0, a.shape[k]];
    const step = max ? Math.ceil((end - begin) / max) : 1;
    return { n: Math.ceil((end - begin) / step), stride: strides[k] * step, start: begin * strides[k], step };
  });
  const shape = dims.map((d) => d.n);
  const count = shape.reduce((p, q) => p * q, 1);
  const complex = a.dtype.startsWith("c");
  const out = new a.data.constructor(complex ? 2 * count : count);
  const index = dims.map(() => 0);
  const base = offset + dims.reduce((s, d) => s + d.start, 0);
  for (let n = 0; n < count; ++n) {
    let from = base;
    for (let k = 0; k < dims.length; ++k) from += index[k] * dims[k].stride;
    if (complex) {
      out[2 * n] = a.data[2 * from];
      out[2 * n + 1] = a.data[2 * from + 1];
    } else out[n] = a.data[from];
    for (let k = 0; k < dims.length; ++k) {
      if (++index[k] < dims[k].n) break;
      index[k] = 0;
    }
  }
  return { data: out, shape, step: dims.map((d) => d.step) };
}
const partOf = { real: (r) => r, imag: (_, i) => i, abs: Math.hypot, phase: (r, i) => Math.atan2(i, r) };
function parted(a, data, part) {
  if (!a.dtype.startsWith("c") || !part || part === "native") return data;
  const f = partOf[part];
  return Float32Array.from({ length: data.length / 2 }, (_, n) => f(data[2 * n], data[2 * n + 1]));
}

/** Elements of a region of a slice; of a rectangle or an ellipse. */
function region(a, q) {
  const [kind, ...numbers] = q.get("shape").split(":");
  const [x0, y0, x1, y1] = numbers.map(Number);
  const slice = cut(a, q.get("axes").split(","), Object.fromEntries(pairs(q.get("at"))), {}, 0);
  const data = parted(a, slice.data, q.get("part") ?? "abs");
  const inside = (i, j) => (kind === "ellipse" ? ((2 * i - x0 - x1) / (x1 - x0)) ** 2 + ((2 * j - y0 - y1) / (y1 - y0)) ** 2 <= 1 : i >= x0 && i <= x1 && j >= y0 && j <= y1);
  return data.filter((_, n) => inside(n % slice.shape[0], Math.floor(n / slice.shape[0])));
}
function statistics(a, q) {
  const data = q.get("shape") ? region(a, q) : parted(a, a.data, q.get("part") ?? "abs");
  const kept = Float64Array.from(data.length > 4e6 ? data.filter((_, i) => i % 7 === 0) : data).filter(Number.isFinite).sort();
  const n = kept.length;
  if (n === 0) return { count: 0, min: null, max: null, mean: null, sd: null, median: null, percentiles: {}, histogram: { edges: [], counts: [] } };
  const p = (v) => kept[Math.round((v / 100) * (n - 1))];
  const mean = kept.reduce((s, v) => s + v, 0) / n;
  const sd = Math.sqrt(kept.reduce((s, v) => s + (v - mean) ** 2, 0) / Math.max(1, n - 1));
  const bins = Number(q.get("bins") ?? 64);
  const [lo, hi] = [kept[0], kept[n - 1]];
  const counts = new Array(bins).fill(0);
  for (const v of kept) counts[Math.min(bins - 1, Math.floor((bins * (v - lo)) / (hi - lo || 1)))] += 1;
  const edges = Array.from({ length: bins + 1 }, (_, i) => lo + ((hi - lo) * i) / bins);
  return { elements: data.length, count: n, min: lo, max: hi, mean, sd, median: p(50), percentiles: { 1: p(1), 5: p(5), 95: p(95), 99: p(99) }, histogram: { edges, counts } };
}

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".wasm": "application/wasm" };
export function serve(port = 0, pages = dist) {
  const requests = [];
  const server = createServer((req, res) => {
    const url = new URL(req.url, "http://x");
    requests.push(url.pathname + url.search);
    const send = (status, type, body, headers = {}) => {
      res.writeHead(status, { "Content-Type": type, "Cache-Control": "no-store", "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*", ...headers });
      res.end(body);
    };
    const json = (o, status = 200) => send(status, "application/json", JSON.stringify(o));
    try {
      const call = url.pathname.match(/^\/api\/graphs\/[^/]+\/(value|array|statistics|download|touch)$/)?.[1];
      if (!call) {
        const file = normalize(join(pages, url.pathname === "/" ? "index.html" : url.pathname));
        if (!file.startsWith(pages) || !existsSync(file)) return json({ error: { code: "not_found", message: "no such page" } }, 404);
        return send(200, types[extname(file)] ?? "application/octet-stream", readFileSync(file));
      }
      const q = url.searchParams;
      const name = q.get("port");
      if (!made.has(name)) return json({ error: { code: "unknown_name", message: `no port called '${name}'`, advice: "run the node first", where: [] } }, 404);
      const value = made.get(name);
      const hash = `${name}-${revision[name] ?? 0}`;
      if (call === "touch") {
        revision[name] = (revision[name] ?? 0) + 1;
        return json({});
      }
      if (call === "value") return json({ type: typeOf(value), describe: describe(value), hash, bytes: value?.data?.byteLength ?? 0, value: tree(value) });
      if (call === "download" && q.get("format") === "csv" && value.rows) {
        const cell = (c) => (/[",\n]/.test(c) ? `"${String(c).replaceAll('"', '""')}"` : String(c));
        return send(200, "text/csv", [value.columns, ...value.rows].map((r) => r.map(cell).join(",")).join("\n") + "\n");
      }
      if (call === "download") return send(200, "application/octet-stream", JSON.stringify(tree(value)));
      const a = leafAt(value, q.get("path") ?? "");
      if (!a?.array) return json({ error: { code: "unknown_name", message: `no array at '${q.get("path")}'` } }, 404);
      if (call === "statistics") return json(statistics(a, q));
      const axes = q.get("axes") ? q.get("axes").split(",") : [];
      const at = Object.fromEntries(pairs(q.get("at")));
      const ranges = Object.fromEntries(pairs(q.get("range")).map(([n, b, e]) => [n, [Number(b), Number(e)]]));
      const got = cut(a, axes, at, ranges, Number(q.get("max") ?? 0));
      const part = q.get("part");
      let data = parted(a, got.data, part);
      let dtype = data === got.data ? a.dtype : "f32";
      if (q.get("dtype") === "f32" && !dtype.startsWith("c")) {
        data = Float32Array.from(data);
        dtype = "f32";
      }
      send(200, "application/octet-stream", Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
        "X-Larmor-Shape": got.shape.join(","),
        "X-Larmor-Axes": axes.join(","),
        "X-Larmor-Dtype": dtype,
        "X-Larmor-Step": got.step.join(","),
        "X-Larmor-Hash": hash,
      });
    } catch (e) {
      json({ error: { code: "request", message: e.message, advice: "", where: [] } }, e.status ?? 500);
    }
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve({ server, requests, port: server.address().port })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { port } = await serve(Number(process.env.PORT ?? 8190));
  console.log(`http://127.0.0.1:${port}/`);
}
