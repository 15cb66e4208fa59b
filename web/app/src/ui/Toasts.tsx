// SPDX-License-Identifier: Apache-2.0
import { Info, OctagonX, X } from "lucide-react";
import { dismiss, useApp } from "../state/app.ts";

export function Toasts() {
  const toasts = useApp((s) => s.toasts);
  return (
    <div className="toasts" aria-live="polite" data-testid="toasts">
      {toasts.map((t) => (
        <div key={t.key} className={`toast ${t.kind}`} role={t.kind === "error" ? "alert" : "status"}>
          {t.kind === "error" ? <OctagonX size={15} /> : <Info size={15} />}
          <div>
            {t.text}
            {t.advice && <div className="advice">{t.advice}</div>}
          </div>
          <button className="button icon small" title="Dismiss" onClick={() => dismiss(t.key)}><X size={13} /></button>
        </div>
      ))}
    </div>
  );
}
