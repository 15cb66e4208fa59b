// SPDX-License-Identifier: Apache-2.0

/**
 * One running request for all who want the same thing. It is aborted when the last of them has lost interest, so two
 * viewers of one slice cost one transfer and scrolling on cancels what nobody waits for any more.
 */
export class SharedRequests<V> {
  private readonly running = new Map<string, { promise: Promise<V>; abort: AbortController; waiting: number }>();

  get size(): number {
    return this.running.size;
  }

  get(key: string, start: (signal: AbortSignal) => Promise<V>, signal?: AbortSignal): Promise<V> {
    if (signal?.aborted) return Promise.reject(aborted());
    let entry = this.running.get(key);
    if (!entry) {
      const abort = new AbortController();
      const promise = start(abort.signal).finally(() => {
        if (this.running.get(key)?.abort === abort) this.running.delete(key);
      });
      promise.catch(() => {}); // each waiter hears of it below; nobody else must
      entry = { promise, abort, waiting: 0 };
      this.running.set(key, entry);
    }
    const mine = entry;
    mine.waiting += 1;
    return new Promise<V>((resolve, reject) => {
      const leave = () => {
        mine.waiting -= 1;
        if (mine.waiting === 0) {
          if (this.running.get(key) === mine) this.running.delete(key);
          mine.abort.abort();
        }
        reject(aborted());
      };
      signal?.addEventListener("abort", leave, { once: true });
      mine.promise.then(
        (value) => {
          signal?.removeEventListener("abort", leave);
          resolve(value);
        },
        (error: unknown) => {
          signal?.removeEventListener("abort", leave);
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      );
    });
  }
}

const aborted = () => new DOMException("no longer wanted", "AbortError");
