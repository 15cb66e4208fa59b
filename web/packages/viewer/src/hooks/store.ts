// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { Window } from "../maths/window.ts";
import type { Part, PlainOptions } from "../types.ts";

/** What linked viewers share. Positions are given on named axes and, where there is geometry, in mm. */
export interface Link {
  cursor: { index: Record<string, number>; mm: [number, number, number] | null; from: string } | null;
  slices: { at: Record<string, number>; lengths: Record<string, number>; mm: [number, number, number] | null; from: string } | null;
  windows: Partial<Record<Part, { window: Window; from: string }>>;
}

class LinkStore {
  private state: Link = { cursor: null, slices: null, windows: {} };
  private readonly listeners = new Set<() => void>();
  readonly get = (): Link => this.state;
  readonly set = (change: Partial<Link>): void => {
    this.state = { ...this.state, ...change };
    this.listeners.forEach((f) => f());
  };
  readonly subscribe = (f: () => void): (() => void) => {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  };
}

const stores = new Map<string, LinkStore>();
const alone: Link = { cursor: null, slices: null, windows: {} };

/** The shared state of a key; without a key a viewer keeps to itself. */
export function useLink(key: string | undefined): { link: Link; set: (change: Partial<Link>) => void } {
  const store = useMemo(() => {
    if (!key) return new LinkStore();
    let s = stores.get(key);
    if (!s) stores.set(key, (s = new LinkStore()));
    return s;
  }, [key]);
  const link = useSyncExternalStore(store.subscribe, store.get, () => alone);
  return { link, set: store.set };
}

/**
 * Options that belong to the parent when it listens, else to the viewer. Changes are told at most every 150 ms (a drag
 * makes hundreds) and drawn at once.
 */
export function useOptions<T extends object>(
  given: PlainOptions | undefined,
  told: ((options: PlainOptions) => void) | undefined,
): [T, (change: Partial<T>) => void] {
  const [options, setOptions] = useState<T>((given ?? {}) as T);
  const latest = useRef(options);
  const sent = useRef<unknown>(given);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const tell = useRef(told);
  useEffect(() => {
    tell.current = told;
  });
  useEffect(() => {
    if (!given || given === sent.current || timer.current) return;
    if (JSON.stringify(given) === JSON.stringify(latest.current)) return;
    sent.current = given;
    latest.current = given as T;
    setOptions(given as T);
  }, [given]);
  const flush = useCallback(() => {
    if (!timer.current) return;
    clearTimeout(timer.current);
    timer.current = undefined;
    sent.current = latest.current;
    tell.current?.(latest.current as PlainOptions);
  }, []);
  useEffect(() => flush, [flush]);
  const change = useCallback(
    (part: Partial<T>) => {
      latest.current = { ...latest.current, ...part };
      setOptions(latest.current);
      if (!timer.current) timer.current = setTimeout(flush, 150);
    },
    [flush],
  );
  return [options, change];
}
