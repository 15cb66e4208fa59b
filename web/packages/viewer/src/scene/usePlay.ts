// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";

/** However many moments there are, playing them takes this long at most [ms]. */
const longest = 8000;
const frame = 1000 / 30;

/** Plays moments: thirty a second, or as many at once as the longest time allows; over and over. */
export function usePlay(times: readonly number[], step: number, show: (step: number) => void): { playing: boolean; setPlaying: (on: boolean) => void } {
  const [playing, setPlaying] = useState(false);
  const latest = useRef({ times, step, show });
  latest.current = { times, step, show };
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const l = latest.current;
      const last = l.times.length - 1;
      const stride = Math.max(1, Math.round((l.times.length * frame) / longest));
      l.show(l.step >= last ? 0 : Math.min(last, l.step + stride));
    }, frame);
    return () => clearInterval(timer);
  }, [playing]);
  return { playing, setPlaying };
}
