// SPDX-License-Identifier: Apache-2.0

/** How every part of the web reaches the server. Paths begin with "/api/"; the token, when there is one, is added here. */
export interface Api {
  readonly base: string;
  readonly token?: string;
  /** Throws ApiError for every status that is not 2xx, with the server's message and advice. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  json<T>(path: string, init?: RequestInit): Promise<T>;
  /** A whole address with the token in it, for downloads, images and web sockets. */
  url(path: string): string;
}

/** Says what went wrong in the server's words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly advice = "",
    readonly where: string[] = [],
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** An Api over the browser's fetch. `base` is "" for the server that the page came from. */
export function httpApi(base = "", token?: string): Api {
  const url = (path: string) => {
    if (!token) return base + path;
    return base + path + (path.includes("?") ? "&" : "?") + "token=" + encodeURIComponent(token);
  };
  const call = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (token) headers.set("Authorization", "Bearer " + token);
    if (typeof init.body === "string" && !headers.has("Content-Type")) headers.set("Content-Type", "application/json");
    let response: Response;
    try {
      response = await fetch(base + path, { ...init, headers });
    } catch (e) {
      if (e instanceof DOMException && e.name === "AbortError") throw e;
      throw new ApiError(0, "offline", "the server does not answer", "check that larmor studio is still running");
    }
    if (response.ok) return response;
    const body = (await response.json().catch(() => ({}))) as {
      error?: { code?: string; message?: string; advice?: string; where?: string[] };
    };
    const e = body.error ?? {};
    throw new ApiError(response.status, e.code ?? "http", e.message ?? `the server answered ${response.status}`, e.advice, e.where);
  };
  return { base, token, url, fetch: call, json: async <T>(path: string, init?: RequestInit) => (await (await call(path, init)).json()) as T };
}
