// SPDX-License-Identifier: Apache-2.0
import { Copy, Download, WrapText } from "lucide-react";
import MarkdownIt from "markdown-it";
import { useMemo, type ReactNode } from "react";
import { fieldsOf, isLeaf, isRecord, recordType } from "../api/tree.ts";
import { useOptions } from "../hooks/store.ts";
import { short } from "../maths/window.ts";
import type { Tree } from "../types.ts";
import { IconButton, Select } from "../ui/kit.tsx";
import { fileName, saveText } from "../ui/save.ts";
import type { InnerProps } from "../viewers.ts";
import { guess, type TextKind } from "./guess.ts";

interface TextOptions {
  as?: TextKind;
  wrap?: boolean;
}

// html: false: tags in the text are shown as text, so nothing in it can run.
const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });

/** Texts as they are, as Markdown or as JSON; any other value as a tree that unfolds. */
export default function TextViewer(p: InnerProps): ReactNode {
  const [options, change] = useOptions<TextOptions>(p.options, p.onOptions);
  const { value } = p.info;
  const text = typeof value === "string" ? value : null;
  const kind = text === null ? "tree" : (options.as ?? guess(text));
  const plainText = text ?? JSON.stringify(value, null, 2);
  const html = useMemo(() => (text !== null && kind === "markdown" ? markdown.render(text) : ""), [text, kind]);
  const json = useMemo(() => {
    if (text === null || kind !== "json") return undefined;
    try {
      return JSON.parse(text) as Tree;
    } catch {
      return undefined;
    }
  }, [text, kind]);
  return (
    <div className={`lmv lmv-text${p.plain ? " lmv-plain" : ""}`}>
      {!p.plain && (
        <div className="lmv-toolbar">
          {text !== null ? (
            <Select<TextKind>
              title="Show as"
              value={options.as ?? guess(text)}
              choices={[
                ["plain", "plain"],
                ["markdown", "Markdown"],
                ["json", "JSON"],
              ]}
              onChange={(as) => change({ as })}
            />
          ) : (
            <span className="lmv-muted">{p.info.describe}</span>
          )}
          {kind === "plain" && <IconButton icon={WrapText} title="Wrap lines" on={options.wrap ?? true} onClick={() => change({ wrap: !(options.wrap ?? true) })} />}
          <span className="lmv-space" />
          <IconButton icon={Copy} title="Copy" onClick={() => void navigator.clipboard?.writeText(plainText)} />
          <IconButton
            icon={Download}
            title="Save"
            onClick={() => saveText(plainText, fileName(p.port, text === null || kind === "json" ? "json" : kind === "markdown" ? "md" : "txt"), "text/plain;charset=utf-8")}
          />
        </div>
      )}
      <div className="lmv-scroll lmv-pad" tabIndex={0} role="region" aria-label={p.title ?? "Text"}>
        {kind === "tree" ? (
          <Node value={value} depth={0} />
        ) : kind === "markdown" ? (
          <div className="lmv-markdown" dangerouslySetInnerHTML={{ __html: html }} />
        ) : kind === "json" && json !== undefined ? (
          <Node value={json} depth={0} />
        ) : (
          <pre className={(options.wrap ?? true) ? "lmv-wrap" : ""}>{text}</pre>
        )}
      </div>
    </div>
  );
}

/** A value as a tree; arrays are told by type and shape, long lists show their first hundred. */
function Node({ value, depth, name }: { value: Tree; depth: number; name?: string }): ReactNode {
  const label = name === undefined ? null : <span className="lmv-key">{name}</span>;
  if (isLeaf(value)) {
    return (
      <div className="lmv-leaf">
        {label} <span className="lmv-type">{value.dtype}</span> {value.axes.map((a, i) => `${a} ${value.shape[i]}`).join(" × ")}
        {typeof value.min === "number" && typeof value.max === "number" && (
          <span className="lmv-muted">
            {" "}
            {short(value.min)} … {short(value.max)}
          </span>
        )}
      </div>
    );
  }
  const entries = Array.isArray(value) ? value.slice(0, 100).map((v, i) => [String(i), v] as const) : isRecord(value) ? fieldsOf(value) : null;
  if (!entries) {
    const text = typeof value === "number" ? short(value, 8) : typeof value === "string" ? value : String(value);
    return (
      <div className="lmv-leaf">
        {label} <span className={typeof value === "string" ? "" : "lmv-type"}>{text}</span>
      </div>
    );
  }
  const list = Array.isArray(value);
  const flat = list && value.length <= 16 && value.every((v) => v === null || typeof v === "number");
  if (flat) {
    return (
      <div className="lmv-leaf">
        {label} [{value.map((v) => (typeof v === "number" ? short(v, 6) : "–")).join(", ")}]
      </div>
    );
  }
  return (
    <details open={depth < 2}>
      <summary>
        {label} <span className="lmv-type">{list ? `list of ${value.length}` : recordType(value) || "record"}</span>
      </summary>
      {entries.map(([k, v]) => (
        <Node key={k} name={k} value={v} depth={depth + 1} />
      ))}
      {list && value.length > 100 && <div className="lmv-muted">and {value.length - 100} more</div>}
    </details>
  );
}
