// SPDX-License-Identifier: Apache-2.0
import { equal, forHand, format, fromSlider, type Json, lowerOf, parseEntry, type SettingInfo, sliderScale, toSlider, upperOf } from "@larmor/graph";
import { FolderOpen, X } from "lucide-react";
import { type CSSProperties, useEffect, useRef, useState } from "react";
import { openDialog } from "../state/app.ts";

export interface ControlProps {
  setting: SettingInfo;
  value: Json;
  disabled?: boolean;
  /** `gesture`: the same for all values of one drag, so that they are one step of undo. */
  onChange: (value: Json, gesture?: string) => void;
}

/** The entry that fits a setting: drawn from its description alone. */
export function Control(props: ControlProps) {
  const { setting, value, onChange, disabled } = props;
  switch (setting.kind) {
    case "number":
    case "integer":
      return <NumberControl {...props} />;
    case "boolean":
      return <input type="checkbox" className="switch" checked={value === true} disabled={disabled} onChange={(e) => onChange(e.target.checked)} aria-label={setting.name} data-testid={`setting-${setting.name}`} />;
    case "choice": {
      const choices = setting.choices ?? [];
      const text = value === null ? "" : String(value);
      return (
        <select className="field" value={text} disabled={disabled} onChange={(e) => onChange(e.target.value === "" && setting.optional ? null : e.target.value)} aria-label={setting.name} data-testid={`setting-${setting.name}`}>
          {setting.optional && <option value="">–</option>}
          {!choices.includes(text) && text !== "" && <option value={text}>{text} (not offered)</option>}
          {choices.map((c) => <option key={c} value={c}>{c.includes(".") ? c : c.replace(/_/g, " ")}</option>)}
        </select>
      );
    }
    case "colour":
      return (
        <div className="setting-row">
          <input type="color" className="colour-field" value={typeof value === "string" && /^#[0-9a-f]{6}$/i.test(value) ? value : "#888888"} disabled={disabled} onChange={(e) => onChange(e.target.value, "colour")} aria-label={setting.name} />
          <TextEntry {...props} />
        </div>
      );
    case "file_open":
    case "file_save":
    case "folder":
      return (
        <div className="file-row">
          <TextEntry {...props} placeholder={setting.kind === "folder" ? "Folder on the server" : "File on the server"} />
          <button
            className="button line icon"
            title="Choose…"
            disabled={disabled}
            data-testid={`browse-${setting.name}`}
            onClick={() => openDialog({ kind: "file", title: setting.what || setting.name, folder: setting.kind === "folder", save: setting.kind === "file_save", endings: setting.choices, start: typeof value === "string" ? value : "", done: (path) => onChange(path) })}
          >
            <FolderOpen size={15} />
          </button>
        </div>
      );
    default:
      return <TextEntry {...props} multiline={setting.multiline} />;
  }
}

function NumberControl({ setting, value, onChange, disabled }: ControlProps) {
  const number = typeof value === "number" ? value : NaN;
  // The range of a hand lies still while it drags: it would run away under the pointer.
  const first = useRef(number), held = useRef(number), dragging = useRef(false);
  if (!dragging.current) held.current = number;
  const hand = forHand(setting, held.current, first.current), scale = sliderScale(hand);
  const gesture = useRef(0);
  const lo = lowerOf(hand), hi = upperOf(hand);
  if (!scale) return <NumberEntry setting={setting} value={value} onChange={onChange} disabled={disabled} />;
  const at = Number.isNaN(number) ? 0 : toSlider(hand, number);
  return (
    <div className="setting-row with-slider">
      <div className="slider-box">
        <input
          type="range"
          className="slider"
          min={0}
          max={1}
          step={setting.kind === "integer" && hi! - lo! <= 1000 && scale === "linear" ? 1 / (hi! - lo!) : setting.step && scale === "linear" ? setting.step / (hi! - lo!) : 0.001}
          value={at}
          disabled={disabled}
          style={{ "--fill": `${at * 100}%` } as CSSProperties}
          onPointerDown={() => {
            gesture.current++;
            dragging.current = true;
          }}
          onLostPointerCapture={() => (dragging.current = false)}
          onPointerUp={() => (dragging.current = false)}
          onPointerCancel={() => (dragging.current = false)}
          onKeyDown={(e) => e.key.startsWith("Arrow") || gesture.current++}
          onChange={(e) => {
            const v = fromSlider(hand, Number(e.target.value));
            if (v !== value) onChange(v, `drag${gesture.current}`);
          }}
          aria-label={setting.name}
          data-testid={`slider-${setting.name}`}
        />
        <div className="setting-range">
          <span>{format.number(lo!)}</span>
          <span>{format.number(hi!)}</span>
        </div>
      </div>
      <NumberEntry setting={setting} value={value} onChange={onChange} disabled={disabled} />
    </div>
  );
}

/** Shown plainly; what was typed is taken at Enter or when the field is left. Arrow keys go by a step. */
function NumberEntry({ setting, value, onChange, disabled }: ControlProps) {
  const shown = value === null || value === undefined ? "" : typeof value === "number" ? String(Number(value.toPrecision(7))) : String(value);
  const [text, setText] = useState<string | null>(null);
  const [problem, setProblem] = useState("");
  const take = (t: string) => {
    const entry = parseEntry(setting, t);
    if ("problem" in entry) return setProblem(entry.problem);
    setProblem("");
    setText(null);
    if (!equal(entry.value, value)) onChange(entry.value);
  };
  const unit = setting.unit && setting.unit !== "1" ? setting.unit : "";
  return (
    <div className={"entry" + (unit ? " with-unit" : "")} style={{ "--digits": `${shown.length}ch`, ...(unit && { "--unit": `${unit.length * 0.92}ch` }) } as CSSProperties}>
      <input
        className={"field" + (problem ? " bad" : "")}
        value={text ?? shown}
        disabled={disabled}
        inputMode="decimal"
        placeholder={setting.optional ? "none" : ""}
        onFocus={(e) => e.target.select()}
        onChange={(e) => {
          setText(e.target.value);
          setProblem("");
        }}
        onBlur={() => {
          if (text === null) return;
          const entry = parseEntry(setting, text);
          if ("problem" in entry) {
            setText(null);
            setProblem("");
          } else take(text);
        }}
        onKeyDown={(e) => {
          if (e.key === "Enter") take(text ?? shown);
          if (e.key === "Escape") {
            setText(null);
            setProblem("");
            e.currentTarget.blur();
          }
          if ((e.key === "ArrowUp" || e.key === "ArrowDown") && typeof value === "number") {
            e.preventDefault();
            const lo = lowerOf(setting) ?? -Infinity, hi = upperOf(setting) ?? Infinity;
            const step = (setting.step || (setting.kind === "integer" ? 1 : Math.pow(10, Math.floor(Math.log10(Math.abs(value) || 1)) - 1))) * (e.shiftKey ? 10 : 1);
            setText(null);
            onChange(Math.min(hi, Math.max(lo, Number((value + (e.key === "ArrowUp" ? step : -step)).toPrecision(12)))), "keys");
          }
        }}
        aria-label={setting.name}
        aria-invalid={!!problem}
        data-testid={`setting-${setting.name}`}
      />
      {unit && <span className="unit ellipsis">{unit}</span>}
      {problem && <div className="setting-problem">{problem}</div>}
    </div>
  );
}

function TextEntry({ setting, value, onChange, disabled, multiline, placeholder }: ControlProps & { multiline?: boolean; placeholder?: string }) {
  const shown = value === null || value === undefined ? "" : Array.isArray(value) ? value.join(", ") : String(value);
  const [text, setText] = useState(shown);
  const [problem, setProblem] = useState("");
  useEffect(() => setText(shown), [shown]);
  const take = () => {
    const entry = parseEntry(setting, text);
    if ("problem" in entry) return setProblem(entry.problem);
    setProblem("");
    if (text !== shown) onChange(entry.value);
  };
  const common = { className: "field" + (problem ? " bad" : ""), value: text, disabled, placeholder: placeholder ?? (setting.kind === "numbers" ? "1, 2, 5:0.5:8" : setting.optional ? "none" : ""), onBlur: take, "aria-label": setting.name, "data-testid": `setting-${setting.name}` };
  return (
    <div className="entry">
      {multiline ? (
        <textarea {...common} rows={4} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => e.key === "Enter" && (e.ctrlKey || e.metaKey) && take()} />
      ) : (
        <input {...common} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => { if (e.key === "Enter") take(); if (e.key === "Escape") setText(shown); }} />
      )}
      {problem && <div className="setting-problem">{problem}</div>}
    </div>
  );
}

/** The values of a sweep: a list, one of which runs after the other. */
export function SweepControl({ setting, values, onChange, onEnd }: { setting: SettingInfo; values: Json[]; onChange: (values: Json[]) => void; onEnd: () => void }) {
  const numeric = setting.kind === "number" || setting.kind === "integer";
  return (
    <div className="file-row">
      <Control
        setting={{ name: setting.name, kind: numeric ? "numbers" : "text", optional: false }}
        value={numeric ? values : values.join(", ")}
        onChange={(v) => onChange(numeric ? (v as Json[]) : String(v).split(",").map((x) => x.trim()).filter(Boolean))}
      />
      <button className="button line icon" title="End the sweep" onClick={onEnd}><X size={14} /></button>
    </div>
  );
}
