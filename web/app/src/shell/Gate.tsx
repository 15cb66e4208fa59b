// SPDX-License-Identifier: Apache-2.0
import { useState } from "react";
import { messages } from "../errors.ts";
import { enterToken, useApp } from "../state/app.ts";
import { Logo } from "./Logo.tsx";

/** Before there is a graph: the server is looked for, or asks for its token. */
export function Gate() {
  const status = useApp((s) => s.status);
  const text = useApp((s) => s.statusText);
  const [token, setToken] = useState("");
  return (
    <div className="gate" data-testid={`gate-${status}`}>
      <Logo size={44} />
      {status === "token" ? (
        <form
          onSubmit={(e) => {
            e.preventDefault();
            enterToken(token.trim());
          }}
        >
          <h1>{messages.token.text}</h1>
          <span className="muted">{messages.token.advice}</span>
          <input className={"field" + (text === "bad" ? " bad" : "")} autoFocus placeholder="Token" value={token} onChange={(e) => setToken(e.target.value)} data-testid="token" />
          {text === "bad" && <span style={{ color: "var(--error)" }}>{messages.badToken.text}</span>}
          <button className="button primary" disabled={!token.trim()}>Continue</button>
        </form>
      ) : status === "offline" ? (
        <>
          <h1>No server</h1>
          <span className="muted">{text}</span>
        </>
      ) : (
        <span className="muted">Opening Studio…</span>
      )}
    </div>
  );
}
