// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useReducer, useRef, useState, type RefObject } from "react";
import { Client, type ArrayData, type ArrayQuery, type Statistics, type StatisticsQuery } from "../api/client.ts";
import { isAbort } from "../errors.ts";
import type { Api, ValueInfo } from "../types.ts";

export function useClient(api: Api, graphId: string): Client {
  const { base, token } = api;
  return useMemo(() => new Client({ base, token }, graphId), [base, token, graphId]);
}

export interface Loaded<T> {
  data: T | null;
  error: unknown;
  loading: boolean;
}

/** Whatever `load` gives, again when `key` changes; what was there stays until the new is there, unless `key` is null. */
export function useLoaded<T>(key: string | null, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({ data: null, error: null, loading: key !== null });
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    if (key === null) {
      setState({ data: null, error: null, loading: false });
      return;
    }
    const abort = new AbortController();
    setState((s) => ({ ...s, loading: true }));
    latest.current(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ data, error: null, loading: false });
      },
      (error: unknown) => {
        if (!abort.signal.aborted && !isAbort(error)) setState((s) => ({ data: s.data, error, loading: false }));
      },
    );
    return () => abort.abort();
  }, [key]);
  return state;
}

export function useValue(client: Client, port: string | null, hash: string | null | undefined): Loaded<ValueInfo> {
  return useLoaded(port && `${client.url("value", { port })} ${hash ?? ""}`, (signal) => client.value(port!, signal));
}

export function useStatistics(
  client: Client,
  port: string,
  hash: string,
  query: StatisticsQuery | null,
): Loaded<Statistics> {
  return useLoaded(query && `${port} ${hash} ${JSON.stringify(query)}`, (signal) =>
    client.statistics(port, hash, query!, signal),
  );
}

/** The answers to several array requests. `data` are the last complete set of the same number while newer are under way. */
export function useArrays(
  client: Client,
  port: string | null,
  hash: string,
  queries: readonly ArrayQuery[],
): { data: readonly ArrayData[] | null; loading: boolean; error: unknown } {
  const key = port === null ? "" : queries.map((q) => client.arrayKey(port, hash, q)).join("\n");
  const [, again] = useReducer((n: number) => n + 1, 0);
  const shown = useRef<{ key: string; data: readonly ArrayData[] } | null>(null);
  const failed = useRef<{ key: string; error: unknown } | null>(null);
  const wanted = useRef(queries);
  wanted.current = queries;

  if (port !== null && shown.current?.key !== key) {
    const kept = queries.map((q) => client.kept(port, hash, q));
    if (kept.every((k) => k !== undefined)) shown.current = { key, data: kept as ArrayData[] };
  }
  const ready = shown.current?.key === key;
  useEffect(() => {
    if (port === null || ready || key === "") return;
    const abort = new AbortController();
    Promise.all(wanted.current.map((q) => client.array(port, hash, q, abort.signal))).then(
      (data) => {
        if (abort.signal.aborted) return;
        shown.current = { key, data };
        failed.current = null;
        again();
      },
      (error: unknown) => {
        if (abort.signal.aborted || isAbort(error)) return;
        failed.current = { key, error };
        again();
      },
    );
    return () => abort.abort();
  }, [client, port, hash, key, ready]);
  const data = port === null || (shown.current && !ready && shown.current.data.length !== queries.length) ? null : shown.current?.data ?? null;
  return { data, loading: port !== null && !ready, error: failed.current?.key === key ? failed.current.error : null };
}

/** Size of an element in CSS pixels. */
export function useSize(ref: RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const next = { width: element.clientWidth, height: element.clientHeight };
      setSize((old) => (old.width === next.width && old.height === next.height ? old : next));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref]);
  return size;
}
