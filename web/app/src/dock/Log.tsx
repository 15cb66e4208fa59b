// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef } from "react";
import * as actions from "../actions.ts";
import { useGraph, useSession } from "../state/hooks.ts";

/** What operations and the server said; stays at the end while the end is in view. */
export function Log() {
  const session = useSession();
  const log = useGraph((s) => s.log);
  const end = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  useEffect(() => {
    const body = end.current?.parentElement?.parentElement;
    if (!body) return;
    const scrolled = () => (follow.current = body.scrollHeight - body.scrollTop - body.clientHeight < 40);
    body.addEventListener("scroll", scrolled);
    return () => body.removeEventListener("scroll", scrolled);
  }, []);
  useEffect(() => {
    if (follow.current) end.current?.scrollIntoView({ block: "end" });
  }, [log]);
  if (!log.length) return <div className="empty">Nothing yet<div ref={end} /></div>;
  return (
    <div className="log" data-testid="log">
      {log.slice(-600).map((l, i) => (
        <div key={l.seq >= 0 ? l.seq : `x${i}`} className={`log-line ${l.level}`}>
          <time>{l.time.toLocaleTimeString(undefined, { hour12: false })}</time>
          {l.node && <button onClick={() => actions.reveal(session, l.node)}>{l.node}</button>}
          <span>{l.text}</span>
        </div>
      ))}
      <div ref={end} />
    </div>
  );
}
