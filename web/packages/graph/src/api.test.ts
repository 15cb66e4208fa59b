// SPDX-License-Identifier: Apache-2.0
import { afterEach, expect, test, vi } from "vitest";
import { ApiError, httpApi } from "./api.ts";

afterEach(() => vi.unstubAllGlobals());

test("errors carry the server's words", async () => {
  const body = { error: { code: "range", message: "2 is too much", advice: "give 1", where: ["a"] } };
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(body), { status: 400 }));
  const e = await httpApi().json("/api/x").then(() => null, (error: unknown) => error);
  expect(e).toBeInstanceOf(ApiError);
  expect(e).toMatchObject({ status: 400, code: "range", message: "2 is too much", advice: "give 1", where: ["a"] });
});

test("no server at all is an error with advice, not a TypeError", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("failed")));
  await expect(httpApi().fetch("/api/x")).rejects.toMatchObject({ status: 0, code: "offline" });
});

test("the token goes into the header and into addresses", async () => {
  const seen: RequestInit[] = [];
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => (seen.push(init), new Response("{}")));
  const api = httpApi("", "a b");
  await api.json("/api/x");
  expect(new Headers(seen[0]!.headers).get("Authorization")).toBe("Bearer a b");
  expect(api.url("/api/x?y=1")).toBe("/api/x?y=1&token=a%20b");
});
