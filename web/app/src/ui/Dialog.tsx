// SPDX-License-Identifier: Apache-2.0
import { X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { createPortal } from "react-dom";

/** A box in the middle of the page. Keeps the keyboard inside, Escape closes it; one that is only read is scrolled by keys. */
export function Dialog({ title, children, footer, onClose, width, testid, reading }: { title: ReactNode; children: ReactNode; footer?: ReactNode; onClose: () => void; width?: number; testid?: string; reading?: boolean }) {
  const ref = useRef<HTMLDivElement>(null);
  const name = useId();
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    if (!ref.current?.contains(before)) (ref.current?.querySelector<HTMLElement>("input, textarea, .body button, footer button") ?? ref.current)?.focus();
    return () => before?.focus?.();
  }, []);
  const keys = (e: KeyboardEvent) => {
    e.stopPropagation();
    if (e.key === "Escape") onClose();
    if (e.key !== "Tab") return;
    const all = [...(ref.current?.querySelectorAll<HTMLElement>("button:not(:disabled), input:not(:disabled), select, textarea, a[href]") ?? [])];
    const first = all[0], last = all.at(-1);
    if (e.shiftKey && document.activeElement === first) {
      e.preventDefault();
      last?.focus();
    } else if (!e.shiftKey && document.activeElement === last) {
      e.preventDefault();
      first?.focus();
    }
  };
  return createPortal(
    <div className="dialog-back" onPointerDown={(e) => e.target === e.currentTarget && onClose()}>
      <div className="dialog" role="dialog" aria-modal="true" aria-labelledby={name} tabIndex={-1} ref={ref} onKeyDown={keys} style={width ? { width: `min(${width}px, 92vw)` } : undefined} data-testid={testid}>
        <header role="presentation">
          <h2 className="ellipsis" id={name}>{title}</h2>
          <span className="spacer" />
          <button className="button icon" title="Close" onClick={onClose}>
            <X size={16} />
          </button>
        </header>
        <div className="body" tabIndex={reading ? 0 : undefined}>{children}</div>
        {footer && <footer>{footer}</footer>}
      </div>
    </div>,
    document.body,
  );
}
