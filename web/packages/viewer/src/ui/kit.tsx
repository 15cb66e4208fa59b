// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import type { LucideIcon } from "lucide-react";
import { textOf } from "../errors.ts";
import { short } from "../maths/window.ts";

export function IconButton(p: {
  icon: LucideIcon;
  title: string;
  on?: boolean;
  disabled?: boolean;
  onClick: () => void;
}): ReactNode {
  const Icon = p.icon;
  return (
    <button
      type="button"
      className="lmv-button"
      title={p.title}
      aria-label={p.title}
      aria-pressed={p.on}
      disabled={p.disabled}
      onClick={p.onClick}
    >
      <Icon size={15} strokeWidth={1.8} aria-hidden />
    </button>
  );
}

export function Select<T extends string>(p: {
  title: string;
  value: T;
  choices: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}): ReactNode {
  return (
    <select
      className="lmv-select"
      title={p.title}
      aria-label={p.title}
      value={p.value}
      onChange={(e) => p.onChange(e.target.value as T)}
    >
      {p.choices.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}

/** A number that is taken over on Enter or when the field is left; text that is no number is put back. */
export function NumberField(p: {
  label: string;
  value: number;
  onChange: (value: number) => void;
  title?: string;
  lower?: number;
  upper?: number;
}): ReactNode {
  const [text, setText] = useState<string | null>(null);
  const id = useId();
  const commit = () => {
    if (text !== null && text.trim() !== "") {
      const v = Number(text.replace(",", ".").replace("−", "-"));
      if (Number.isFinite(v)) p.onChange(Math.min(p.upper ?? Infinity, Math.max(p.lower ?? -Infinity, v)));
    }
    setText(null);
  };
  return (
    <label className="lmv-field" htmlFor={id} title={p.title}>
      <span>{p.label}</span>
      <input
        id={id}
        inputMode="decimal"
        value={text ?? short(p.value, 5)}
        onFocus={(e) => e.target.select()}
        onChange={(e) => setText(e.target.value)}
        onBlur={commit}
        onKeyDown={(e) => {
          e.stopPropagation();
          if (e.key === "Enter") commit();
          if (e.key === "Escape") setText(null);
        }}
      />
    </label>
  );
}

/** A button that opens a small panel; closed by Escape, a click elsewhere, or the button. */
export function Popover(p: { icon: LucideIcon; title: string; children: (close: () => void) => ReactNode; on?: boolean }): ReactNode {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const away = (e: PointerEvent) => {
      if (!box.current?.contains(e.target as Node)) setOpen(false);
    };
    window.addEventListener("pointerdown", away, true);
    return () => window.removeEventListener("pointerdown", away, true);
  }, [open]);
  const Icon = p.icon;
  return (
    <div
      className="lmv-popover"
      ref={box}
      onKeyDown={(e) => {
        if (e.key === "Escape" && open) {
          e.stopPropagation();
          setOpen(false);
        }
      }}
    >
      <button
        type="button"
        className="lmv-button"
        title={p.title}
        aria-label={p.title}
        aria-expanded={open}
        aria-pressed={p.on}
        onClick={() => setOpen(!open)}
      >
        <Icon size={15} strokeWidth={1.8} aria-hidden />
      </button>
      {open && (
        <div className="lmv-panel" role="dialog" aria-label={p.title}>
          {p.children(() => setOpen(false))}
        </div>
      )}
    </div>
  );
}

export const Separator = (): ReactNode => <span className="lmv-separator" aria-hidden />;

export function MenuItem(p: { onClick: () => void; children: ReactNode }): ReactNode {
  return (
    <button type="button" className="lmv-item" onClick={p.onClick}>
      {p.children}
    </button>
  );
}

export function Message(p: { error?: unknown; children?: ReactNode }): ReactNode {
  return (
    <div className="lmv-message" role={p.error ? "alert" : "status"}>
      {p.error ? textOf(p.error).split("\n").map((line, i) => <p key={i}>{line}</p>) : p.children}
    </div>
  );
}

export const Waiting = (): ReactNode => <div className="lmv-waiting" role="status" aria-label="loading" />;
