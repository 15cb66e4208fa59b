// SPDX-License-Identifier: Apache-2.0
import { isAbort, messages, ViewerError } from "../errors.ts";
import type { Api, ValueInfo } from "../types.ts";
import { decode, type Decoded } from "./decode.ts";
import { Lru } from "./lru.ts";
import { SharedRequests } from "./shared.ts";

export interface ArrayQuery {
  path: string;
  /** Axes of the answer, in this order. */
  axes: readonly string[];
  /** Index on every other axis. */
  at?: Record<string, number>;
  dtype?: "native" | "f32" | "u8";
  part?: "native" | "real" | "imag" | "abs" | "phase";
  /** No extent of the answer exceeds this: every n-th element is sent. */
  max?: number;
  /** axis -> [begin, end). */
  range?: Record<string, [number, number]>;
  /** An image: the plane is one of its grid, and samples are taken at the same places in space. Its hash tells grids apart. */
  onto?: { port: string; hash: string };
}

export interface ArrayData extends Decoded {
  shape: number[];
  axes: string[];
  step: number[];
  hash: string;
  key: string;
}

export interface StatisticsQuery {
  path: string;
  at?: Record<string, number>;
  axes?: readonly string[];
  shape?: string;
  part?: "native" | "real" | "imag" | "abs" | "phase";
  bins?: number;
}
export interface Statistics {
  /** Of the region; `count` of them are finite. */
  elements?: number;
  count: number;
  min: number;
  max: number;
  mean: number;
  sd: number;
  median: number;
  percentiles: Record<string, number>;
  histogram?: { edges: number[]; counts: number[] };
}

// Slices stay for the way back and for cine: 192 MB hold 1,500 frames of 128 x 128 c64.
const arrays = new Lru<ArrayData>(192 * 2 ** 20);
const arrayRequests = new SharedRequests<ArrayData>();
const valueRequests = new SharedRequests<ValueInfo>();
const statisticsKept = new Lru<Statistics>(2 ** 20);
const statisticsRequests = new SharedRequests<Statistics>();

/** The values of one graph on one server. */
export class Client {
  readonly api: Api;
  readonly graphId: string;
  /** Numbers are given as so many times what the server holds: values in another unit. */
  readonly factor: number;
  constructor(api: Api, graphId: string, factor = 1) {
    this.api = api;
    this.graphId = graphId;
    this.factor = factor;
  }
  times = (factor: number): Client => (factor === 1 ? this : new Client(this.api, this.graphId, this.factor * factor));

  url(what: string, query: Record<string, string | number | undefined>): string {
    const filled = Object.entries(query).filter((e): e is [string, string | number] => e[1] !== undefined && e[1] !== "");
    const text = new URLSearchParams(filled.map(([k, v]) => [k, String(v)])).toString();
    return `${this.api.base}/api/graphs/${encodeURIComponent(this.graphId)}/${what}?${text}`;
  }

  private async ask(url: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = this.api.token ? { Authorization: `Bearer ${this.api.token}` } : {};
    let response: Response;
    try {
      response = await fetch(url, { headers, signal });
    } catch (e) {
      if (isAbort(e)) throw e;
      throw new ViewerError(messages.network(url.split("?")[0]!));
    }
    if (response.ok) return response;
    const said = (await response.json().catch(() => null)) as { error?: { message?: string; advice?: string } } | null;
    throw new ViewerError(
      said?.error?.message ?? messages.status(response.status, url.split("?")[0]!),
      said?.error?.advice ?? "",
      response.status,
    );
  }

  /** Not kept: its hash is what tells whether anything else may be. */
  value(port: string, signal?: AbortSignal): Promise<ValueInfo> {
    const url = this.url("value", { port });
    return valueRequests.get(
      `${this.api.token ?? ""} ${url}`,
      async (s) => parseJson<ValueInfo>(await (await this.ask(url, s)).text()),
      signal,
    );
  }

  arrayKey(port: string, hash: string, q: ArrayQuery): string {
    return `${hash} ${q.onto ? q.onto.hash + " " : ""}${this.factor === 1 ? "" : this.factor + " "}${this.arrayUrl(port, q)}`;
  }
  private arrayUrl(port: string, q: ArrayQuery): string {
    const list = (o: Record<string, number> | undefined) => o && Object.entries(o).map(([a, i]) => `${a}:${i}`).join(",");
    const range = q.range && Object.entries(q.range).map(([a, [b, e]]) => `${a}:${b}:${e}`).join(",");
    const at = q.at && Object.fromEntries(Object.entries(q.at).filter(([a]) => !q.axes.includes(a)));
    return this.url("array", {
      port,
      path: q.path,
      axes: q.axes.join(","),
      at: list(at),
      dtype: q.dtype,
      part: q.part,
      max: q.max,
      range,
      onto: q.onto?.port,
    });
  }

  /** In the cache now, or undefined. */
  kept(port: string, hash: string, q: ArrayQuery): ArrayData | undefined {
    return arrays.get(this.arrayKey(port, hash, q));
  }

  array(port: string, hash: string, q: ArrayQuery, signal?: AbortSignal): Promise<ArrayData> {
    const key = this.arrayKey(port, hash, q);
    const kept = arrays.get(key);
    if (kept) return Promise.resolve(kept);
    return arrayRequests.get(
      key,
      async (s) => {
        const response = await this.ask(this.arrayUrl(port, q), s);
        const buffer = await response.arrayBuffer();
        const data = decodeArray(buffer, (name) => response.headers.get(name), q, key);
        if (this.factor !== 1) for (let i = 0; i < data.data.length; i++) data.data[i]! *= this.factor;
        arrays.set(key, data, buffer.byteLength);
        return data;
      },
      signal,
    );
  }

  statistics(port: string, hash: string, q: StatisticsQuery, signal?: AbortSignal): Promise<Statistics> {
    const at = q.at && Object.entries(q.at).map(([a, i]) => `${a}:${i}`).join(",");
    const url = this.url("statistics", {
      port,
      path: q.path,
      at,
      axes: q.axes?.join(","),
      shape: q.shape,
      part: q.part === "native" ? undefined : q.part,
      bins: q.bins,
    });
    const key = `${hash} ${this.factor} ${url}`;
    const kept = statisticsKept.get(key);
    if (kept) return Promise.resolve(kept);
    return statisticsRequests.get(
      key,
      async (s) => {
        const got = inUnits(parseJson<Statistics>(await (await this.ask(url, s)).text()), this.factor);
        statisticsKept.set(key, got, 4096);
        return got;
      },
      signal,
    );
  }

  /** The value, or the array at a path in it, as a file. */
  async download(port: string, format: string, path?: string): Promise<Blob> {
    const response = await this.ask(this.url("download", { port, format, path }), new AbortController().signal);
    return response.blob();
  }
}

/** Statistics of values that are `factor` (above 0) times as large. */
export function inUnits(s: Statistics, factor: number): Statistics {
  if (factor === 1) return s;
  const times = (v: number) => v * factor;
  return {
    ...s,
    min: times(s.min),
    max: times(s.max),
    mean: times(s.mean),
    sd: times(s.sd),
    median: times(s.median),
    percentiles: Object.fromEntries(Object.entries(s.percentiles ?? {}).map(([p, v]) => [p, times(v)])),
    ...(s.histogram ? { histogram: { ...s.histogram, edges: s.histogram.edges.map(times) } } : {}),
  };
}

/** JSON as the server writes it: numbers that JSON has no word for may be null, "nan", or {"$number": "nan"}. */
export function parseJson<T>(text: string): T {
  return JSON.parse(text, (_key, value: unknown) => {
    if (value && typeof value === "object" && "$number" in value) {
      const name = String((value as { $number: unknown }).$number).toLowerCase();
      return name.includes("inf") ? (name.startsWith("-") ? -Infinity : Infinity) : NaN;
    }
    return value;
  }) as T;
}

/** Bytes and headers of an array answer. Headers that are absent are taken from what was asked. */
export function decodeArray(
  buffer: ArrayBuffer,
  header: (name: string) => string | null,
  q: Pick<ArrayQuery, "axes">,
  key: string,
): ArrayData {
  const numbers = (name: string) => {
    const text = header(name);
    return text ? text.split(",").map(Number) : [];
  };
  const shape = numbers("X-Larmor-Shape");
  const axes = header("X-Larmor-Axes")?.split(",").filter(Boolean) ?? [...q.axes];
  const step = numbers("X-Larmor-Step");
  const count = shape.reduce((a, b) => a * b, 1);
  return {
    ...decode(buffer, header("X-Larmor-Dtype") ?? "f32", count),
    shape,
    axes,
    step: shape.map((_, i) => step[i] || 1),
    hash: header("X-Larmor-Hash") ?? "",
    key,
  };
}
