// SPDX-License-Identifier: Apache-2.0

/** Keeps what was used last within a budget of bytes. */
export class Lru<V> {
  private readonly kept = new Map<string, { value: V; bytes: number }>();
  private held = 0;
  private readonly budget: number;
  private readonly dropped: ((value: V) => void) | undefined;

  constructor(budget: number, dropped?: (value: V) => void) {
    this.budget = budget;
    this.dropped = dropped;
  }
  get bytes(): number {
    return this.held;
  }
  get size(): number {
    return this.kept.size;
  }
  get(key: string): V | undefined {
    const entry = this.kept.get(key);
    if (!entry) return undefined;
    this.kept.delete(key); // re-inserted last: a Map keeps the order of insertion
    this.kept.set(key, entry);
    return entry.value;
  }
  has(key: string): boolean {
    return this.kept.has(key);
  }
  /** Something larger than the budget is kept until the next thing comes. */
  set(key: string, value: V, bytes: number): void {
    this.delete(key);
    this.kept.set(key, { value, bytes });
    this.held += bytes;
    for (const oldest of this.kept.keys()) {
      if (this.held <= this.budget || oldest === key) break;
      this.delete(oldest);
    }
  }
  delete(key: string): void {
    const entry = this.kept.get(key);
    if (!entry) return;
    this.kept.delete(key);
    this.held -= entry.bytes;
    this.dropped?.(entry.value);
  }
  clear(): void {
    for (const key of [...this.kept.keys()]) this.delete(key);
  }
}
