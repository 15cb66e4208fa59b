// SPDX-License-Identifier: Apache-2.0
import { type ComponentType, Fragment, type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";

export interface Entry {
  title: string;
  icon?: ComponentType<{ size?: number }>;
  keys?: string;
  disabled?: boolean;
  danger?: boolean;
  testid?: string;
  run: () => void;
}
export type Entries = (Entry | "line" | { heading: string } | null | false | "" | undefined)[];

/** Moves a box that would leave the window back into it. */
export function usePlaced(x: number, y: number) {
  const ref = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: x, top: y });
  useLayoutEffect(() => {
    const box = ref.current?.getBoundingClientRect();
    if (box) setPlace({ left: Math.max(4, Math.min(x, innerWidth - box.width - 8)), top: Math.max(4, Math.min(y, innerHeight - box.height - 8)) });
  }, [x, y]);
  return { ref, style: place };
}

/** A list of things to do, at a point of the window. Arrow keys, Enter, Escape. */
export function Menu({ x, y, entries, onClose, children }: { x: number; y: number; entries?: Entries; onClose: () => void; children?: ReactNode }) {
  const { ref, style } = usePlaced(x, y);
  const escaped = useRef(false);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    if (!ref.current?.contains(document.activeElement)) (ref.current?.querySelector("button:not(:disabled)") as HTMLElement | null)?.focus({ preventScroll: true });
    const away = (e: PointerEvent) => {
      if (!ref.current?.contains(e.target as Node)) onClose();
    };
    addEventListener("pointerdown", away, true);
    addEventListener("blur", onClose);
    return () => {
      removeEventListener("pointerdown", away, true);
      removeEventListener("blur", onClose);
      if (escaped.current) before?.focus?.({ preventScroll: true });
    };
  }, [onClose, ref]);
  const keys = (e: KeyboardEvent) => {
    e.stopPropagation();
    if (e.key === "Escape") {
      escaped.current = true;
      return onClose();
    }
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    e.preventDefault();
    const all = [...(ref.current?.querySelectorAll<HTMLElement>("button.menu-item:not(:disabled)") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + (e.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]?.focus();
  };
  const listed = (entries ?? []).filter((e): e is Entry | "line" | { heading: string } => !!e);
  return createPortal(
    <div className="menu" role="menu" ref={ref} style={style} onKeyDown={keys} onContextMenu={(e) => e.preventDefault()} data-testid="menu">
      {children}
      {listed.map((e, i) => (
        <Fragment key={i}>
          {e === "line" ? (
            i > 0 && i < listed.length - 1 && <div className="menu-line" />
          ) : "heading" in e ? (
            <div className="menu-title">{e.heading}</div>
          ) : (
            <button
              className={"menu-item" + (e.danger ? " danger" : "")}
              role="menuitem"
              disabled={e.disabled}
              data-testid={e.testid}
              onClick={() => {
                onClose();
                e.run();
              }}
            >
              {e.icon && <e.icon size={15} />}
              <span className="ellipsis">{e.title}</span>
              {e.keys && <span className="keys">{e.keys}</span>}
            </button>
          )}
        </Fragment>
      ))}
    </div>,
    document.body,
  );
}

/** A button that opens a menu below itself. */
export function MenuButton({ entries, children, className = "button", title, testid }: { entries: () => Entries; children: ReactNode; className?: string; title?: string; testid?: string }) {
  const [at, setAt] = useState<{ x: number; y: number } | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={button}
        className={className + (at ? " on" : "")}
        title={title}
        aria-haspopup="menu"
        aria-expanded={!!at}
        data-testid={testid}
        onPointerDown={(e) => at && e.stopPropagation()}
        onClick={() => {
          const box = button.current!.getBoundingClientRect();
          setAt(at ? null : { x: box.left, y: box.bottom + 4 });
        }}
      >
        {children}
      </button>
      {at && <Menu x={at.x} y={at.y} entries={entries()} onClose={() => setAt(null)} />}
    </>
  );
}
