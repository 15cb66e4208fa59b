// SPDX-License-Identifier: Apache-2.0
import { changeComment, changeFrame } from "@larmor/graph";
import { type NodeProps, NodeResizer } from "@xyflow/react";
import { memo, useEffect, useRef, useState } from "react";
import { useSession } from "../state/hooks.ts";
import { Markdown } from "../ui/Markdown.tsx";
import { type CommentNodeType, type FrameNodeType, itemOf } from "./model.ts";
import { useDetail } from "./OpNode.tsx";

/** Markdown with TeX on the canvas; a double click edits it. */
export const CommentNode = memo(function CommentNode({ id, data, selected }: NodeProps<CommentNodeType>) {
  const session = useSession();
  const key = itemOf(id).id;
  const { comment } = data;
  const [editing, setEditing] = useState(comment.text === "");
  const field = useRef<HTMLTextAreaElement>(null);
  const detail = useDetail();
  useEffect(() => {
    if (editing) field.current?.focus();
  }, [editing]);
  const done = (text: string) => {
    setEditing(false);
    if (text !== comment.text) session.edit("edit comment", (g) => changeComment(g, key, { text }));
  };
  return (
    <div className={`comment${selected ? " selected" : ""}`} style={comment.colour ? { background: `color-mix(in srgb, ${comment.colour} 16%, var(--node))`, borderColor: `color-mix(in srgb, ${comment.colour} 45%, var(--line))` } : undefined} onDoubleClick={() => setEditing(true)} data-testid={`comment-${key}`}>
      <NodeResizer isVisible={selected && !editing} minWidth={90} minHeight={36} onResizeEnd={(_, p) => session.edit("resize comment", (g) => changeComment(g, key, { at: [p.x, p.y], size: [p.width, p.height] }))} />
      {editing ? (
        <textarea ref={field} className="nodrag nowheel" defaultValue={comment.text} placeholder={"Markdown, with $TeX$"} onBlur={(e) => done(e.target.value)} onKeyDown={(e) => { e.stopPropagation(); if (e.key === "Escape" || (e.key === "Enter" && (e.ctrlKey || e.metaKey))) e.currentTarget.blur(); }} />
      ) : detail === 0 ? null : comment.text ? (
        <Markdown text={comment.text} />
      ) : (
        <span className="muted">Empty comment</span>
      )}
    </div>
  );
});

/** A titled region behind nodes; dragging it takes along what lies inside. */
export const FrameNode = memo(function FrameNode({ id, data, selected }: NodeProps<FrameNodeType>) {
  const session = useSession();
  const key = itemOf(id).id;
  const { frame } = data;
  const [editing, setEditing] = useState(false);
  const tint = frame.colour ? { background: `color-mix(in srgb, ${frame.colour} 9%, transparent)`, borderColor: `color-mix(in srgb, ${frame.colour} 45%, transparent)` } : undefined;
  return (
    <div className={`frame${selected ? " selected" : ""}`} style={tint} data-testid={`frame-${key}`}>
      <NodeResizer isVisible={selected} minWidth={120} minHeight={80} onResizeEnd={(_, p) => session.edit("resize frame", (g) => changeFrame(g, key, { at: [p.x, p.y], size: [p.width, p.height] }))} />
      {editing ? (
        <input className="frame-title nodrag" autoFocus defaultValue={frame.title ?? ""} onBlur={(e) => { setEditing(false); session.edit("rename frame", (g) => changeFrame(g, key, { title: e.target.value.trim() })); }} onKeyDown={(e) => { e.stopPropagation(); if (e.key === "Enter" || e.key === "Escape") e.currentTarget.blur(); }} />
      ) : (
        <div className="frame-title" onDoubleClick={(e) => { e.stopPropagation(); setEditing(true); }}>{frame.title || "Frame"}</div>
      )}
    </div>
  );
});
