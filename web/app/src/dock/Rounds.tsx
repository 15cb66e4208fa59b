// SPDX-License-Identifier: Apache-2.0
import { atRound } from "@larmor/graph";
import { ChevronLeft, ChevronRight, History, SkipForward } from "lucide-react";
import { useEffect, useState } from "react";
import { useApi, usePortReport, useSession } from "../state/hooks.ts";

/** Which round of a loop is looked at; null is the last. */
export function Rounds({ port, zone, round, onRound }: { port: string; zone: string; round: number | null; onRound: (round: number | null) => void }) {
  const session = useSession();
  const api = useApi();
  const hash = usePortReport(port)?.hash;
  const [count, setCount] = useState(0);
  useEffect(() => {
    let live = true;
    const of = (what: string, p: string) => `/api/graphs/${session.id}/${what}?port=${encodeURIComponent(p)}`;
    const rounds = async () => (await api.json<{ rounds: number }>(of("rounds", port))).rounds;
    // What ran before its history was wanted has none: looking at a round makes the engine run it again and keep them.
    const all = async () => {
      const n = await rounds();
      if (n > 0 || !hash) return n;
      await api.json(of("value", atRound(port, zone, 0)));
      return rounds();
    };
    all().then(
      (n) => live && setCount(n),
      () => live && setCount(0), // the value itself says what is wrong
    );
    return () => void (live = false);
  }, [api, session.id, port, zone, hash]);
  if (count < 1) return null;
  const at = round === null ? count - 1 : Math.min(round, count - 1);
  const go = (k: number) => onRound(k >= count - 1 ? null : Math.max(0, k));
  return (
    <div className="probe-rounds" data-testid="rounds">
      <History size={13} />
      <span className="ellipsis">Round of {zone.split("/").at(-1)}</span>
      <button className="button icon small" title="Round before" disabled={at === 0} onClick={() => go(at - 1)} data-testid="round-before"><ChevronLeft size={13} /></button>
      <input type="range" min={0} max={count - 1} value={at} aria-label="Round" onChange={(e) => go(Number(e.target.value))} data-testid="round" />
      <button className="button icon small" title="Next round" disabled={at === count - 1} onClick={() => go(at + 1)}><ChevronRight size={13} /></button>
      <span className="num" data-testid="round-count">{at + 1} of {count}</span>
      <button className={"button icon small" + (round === null ? " on" : "")} title="Always the last" onClick={() => onRound(null)}><SkipForward size={13} /></button>
    </div>
  );
}
