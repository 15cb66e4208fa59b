// SPDX-License-Identifier: Apache-2.0

/**
 * Values by key of which each has its own listeners, told once a frame. The state of a node changes many times a
 * second: only the node that shows it is drawn again.
 */
export class Keyed<T> {
  private values = new Map<string, T>();
  private listeners = new Map<string, Set<() => void>>();
  private anyone = new Set<() => void>();
  private dirty = new Set<string>();
  private scheduled = false;
  version = 0;

  constructor(private readonly later: (f: () => void) => void = typeof requestAnimationFrame === "function" ? (f) => void requestAnimationFrame(f) : (f) => void setTimeout(f, 0)) {}

  get = (key: string): T | undefined => this.values.get(key);
  all(): ReadonlyMap<string, T> {
    return this.values;
  }
  set(key: string, value: T) {
    this.values.set(key, value);
    this.mark(key);
  }
  replace(all: Iterable<[string, T]>) {
    const before = this.values;
    this.values = new Map(all);
    for (const key of new Set([...before.keys(), ...this.values.keys()])) this.mark(key);
  }
  subscribe(key: string, listener: () => void): () => void {
    let set = this.listeners.get(key);
    if (!set) this.listeners.set(key, (set = new Set()));
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0) this.listeners.delete(key);
    };
  }
  subscribeAll(listener: () => void): () => void {
    this.anyone.add(listener);
    return () => void this.anyone.delete(listener);
  }

  private mark(key: string) {
    this.dirty.add(key);
    if (this.scheduled) return;
    this.scheduled = true;
    this.later(() => {
      this.scheduled = false;
      this.version++;
      const keys = [...this.dirty];
      this.dirty.clear();
      for (const k of keys) for (const l of this.listeners.get(k) ?? []) l();
      for (const l of this.anyone) l();
    });
  }
}
