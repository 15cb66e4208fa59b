// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { Client, decodeArray, inUnits, parseJson } from "../../src/api/client.ts";
import { decode } from "../../src/api/decode.ts";
import { Lru } from "../../src/api/lru.ts";
import { SharedRequests } from "../../src/api/shared.ts";
import { ViewerError } from "../../src/errors.ts";

describe("what was used last is kept", () => {
  it("within the budget, oldest use out first", () => {
    const dropped: string[] = [];
    const lru = new Lru<string>(30, (v) => dropped.push(v));
    for (const k of ["a", "b", "c"]) lru.set(k, k, 10);
    lru.get("a");
    lru.set("d", "d", 10);
    expect(dropped).toEqual(["b"]);
    expect([lru.has("a"), lru.bytes, lru.size]).toEqual([true, 30, 3]);
    lru.set("a", "A", 25); // replaced: counted once
    expect(lru.bytes).toBeLessThanOrEqual(35);
    expect(lru.get("a")).toBe("A");
    lru.clear();
    expect([lru.bytes, lru.size]).toEqual([0, 0]);
  });
  it("one thing beyond the budget stays until the next comes", () => {
    const lru = new Lru<number>(10);
    lru.set("big", 1, 100);
    expect(lru.get("big")).toBe(1);
    lru.set("next", 2, 1);
    expect(lru.has("big")).toBe(false);
  });
});

describe("requests", () => {
  const pending = () => {
    const made: { signal: AbortSignal; resolve: (v: number) => void; reject: (e: Error) => void }[] = [];
    const start = (signal: AbortSignal) => new Promise<number>((resolve, reject) => made.push({ signal, resolve, reject }));
    return { made, start };
  };
  it("for the same thing are one, and all who wait get it", async () => {
    const r = new SharedRequests<number>();
    const { made, start } = pending();
    const both = Promise.all([r.get("k", start), r.get("k", start)]);
    expect(made).toHaveLength(1);
    made[0]!.resolve(7);
    expect(await both).toEqual([7, 7]);
    expect(r.size).toBe(0);
  });
  it("are stopped when the last who waited has gone, not before", async () => {
    const r = new SharedRequests<number>();
    const { made, start } = pending();
    const [a, b] = [new AbortController(), new AbortController()];
    const first = r.get("k", start, a.signal);
    const second = r.get("k", start, b.signal);
    a.abort();
    await expect(first).rejects.toThrow("no longer wanted");
    expect(made[0]!.signal.aborted).toBe(false);
    b.abort();
    await expect(second).rejects.toThrow("no longer wanted");
    expect(made[0]!.signal.aborted).toBe(true);
    void r.get("k", start).catch(() => {});
    expect(made).toHaveLength(2); // the stopped one is not handed out again
  });
  it("that fail say so to all, and can be tried again", async () => {
    const r = new SharedRequests<number>();
    const { made, start } = pending();
    const waits = [r.get("k", start), r.get("k", start)];
    made[0]!.reject(new Error("broken"));
    for (const w of waits) await expect(w).rejects.toThrow("broken");
    void r.get("k", start).catch(() => {});
    expect(made).toHaveLength(2);
  });
  it("that nobody wants are not begun", async () => {
    const { made, start } = pending();
    await expect(new SharedRequests<number>().get("k", start, AbortSignal.abort())).rejects.toThrow();
    expect(made).toHaveLength(0);
  });
});

describe("bytes of an array", () => {
  it("come back as they were, complex ones interleaved", () => {
    const c = decode(Float32Array.of(1, 2, 3, 4).buffer, "c64", 2);
    expect([c.complex, Array.from(c.data)]).toEqual([true, [1, 2, 3, 4]]);
    expect(Array.from(decode(Int16Array.of(-1, 300).buffer, "i16", 2).data)).toEqual([-1, 300]);
    expect(decode(new Float64Array(4).buffer, "c128", 2).data).toHaveLength(4);
  });
  it("of an unknown type or too few are refused, with the numbers", () => {
    expect(() => decode(new ArrayBuffer(8), "f16", 4)).toThrow(ViewerError);
    expect(() => decode(new ArrayBuffer(8), "f16", 4)).toThrow("'f16'");
    expect(() => decode(new ArrayBuffer(8), "f32", 4)).toThrow(/8 bytes.*16/);
  });
  it("headers say shape, axes and step", () => {
    const headers: Record<string, string> = { "X-Larmor-Shape": "2,3", "X-Larmor-Axes": "y,x", "X-Larmor-Dtype": "u8", "X-Larmor-Step": "4,1", "X-Larmor-Hash": "ab" };
    const a = decodeArray(new ArrayBuffer(6), (n) => headers[n] ?? null, { axes: ["y", "x"] }, "k");
    expect(a).toMatchObject({ shape: [2, 3], axes: ["y", "x"], step: [4, 1], dtype: "u8", hash: "ab", complex: false });
    expect(decodeArray(new ArrayBuffer(4), () => null, { axes: [] }, "k")).toMatchObject({ shape: [], dtype: "f32" });
  });
});

it("numbers that JSON has no word for", () => {
  expect(parseJson('{"a":{"$number":"nan"},"b":[{"$number":"inf"},{"$number":"-inf"}],"c":1}')).toEqual({ a: NaN, b: [Infinity, -Infinity], c: 1 });
});

describe("values in another unit", () => {
  const api = { base: "", token: undefined } as unknown as ConstructorParameters<typeof Client>[0];
  it("are kept apart from those of the server, and a factor of one is the client itself", () => {
    const client = new Client(api, "g");
    const minutes = client.times(60);
    const q = { path: "maps.0.values", axes: ["x", "y"] };
    expect(client.times(1)).toBe(client);
    expect(minutes.times(2).factor).toBe(120);
    expect(minutes.arrayKey("fit.maps", "h", q)).not.toBe(client.arrayKey("fit.maps", "h", q));
  });
  it("statistics scale, counts and percentages do not", () => {
    const s = { count: 3, elements: 4, min: -1, max: 2, mean: 0.5, sd: 1.5, median: 0.25, percentiles: { "25": 0, "75": 1 }, histogram: { edges: [-1, 0, 2], counts: [1, 2] } };
    expect(inUnits(s, 60)).toEqual({ count: 3, elements: 4, min: -60, max: 120, mean: 30, sd: 90, median: 15, percentiles: { "25": 0, "75": 60 }, histogram: { edges: [-60, 0, 120], counts: [1, 2] } });
    expect(inUnits(s, 1)).toBe(s);
  });
});
