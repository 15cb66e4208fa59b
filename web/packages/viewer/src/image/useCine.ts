// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";
import type { ArrayQuery, Client } from "../api/client.ts";
import { step } from "../maths/axes.ts";

export interface CineInput {
  client: Client;
  /** What has to be there to show an index: the port, its hash and the query. */
  needs: (index: number) => { port: string; hash: string; query: ArrayQuery }[];
  length: number;
  start: number;
  fps: number;
  playing: boolean;
}

const ahead = 8;

/**
 * The frame to show while playing, null otherwise. A frame is shown when its time has come and its data are here; the
 * next few are asked for meanwhile, so a slow connection lowers the rate and drops nothing.
 */
export function useCine(input: CineInput): { frame: number | null; rate: number } {
  const [frame, setFrame] = useState<number | null>(null);
  const [rate, setRate] = useState(0);
  const latest = useRef(input);
  latest.current = input;
  const { playing } = input;
  useEffect(() => {
    if (!playing) {
      setFrame(null);
      return;
    }
    const abort = new AbortController();
    let index = latest.current.start;
    let due = performance.now();
    let shown = 0;
    let since = due;
    const here = (i: number) => {
      const { client, needs } = latest.current;
      return needs(i).every((n) => client.kept(n.port, n.hash, n.query) !== undefined);
    };
    const fetchAhead = () => {
      const { client, needs, length } = latest.current;
      for (let k = 1; k <= Math.min(ahead, length); ++k) {
        for (const n of needs(step(index, k, length, true))) {
          if (!client.kept(n.port, n.hash, n.query)) client.array(n.port, n.hash, n.query, abort.signal).catch(() => {});
        }
      }
    };
    fetchAhead();
    let handle = requestAnimationFrame(function tick(now) {
      const { fps, length } = latest.current;
      const period = 1000 / Math.max(0.5, fps);
      if (now >= due - 2) {
        const next = step(index, 1, length, true);
        if (here(next)) {
          index = next;
          setFrame(next);
          due = now - due > 2 * period ? now + period : due + period;
          fetchAhead();
          shown += 1;
        }
      }
      if (now - since >= 1000) {
        setRate((1000 * shown) / (now - since));
        shown = 0;
        since = now;
      }
      handle = requestAnimationFrame(tick);
    });
    return () => {
      cancelAnimationFrame(handle);
      abort.abort();
    };
  }, [playing]);
  return { frame: playing ? frame : null, rate };
}
