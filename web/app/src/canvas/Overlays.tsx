// SPDX-License-Identifier: Apache-2.0
import { Panel, useStore } from "@xyflow/react";
import { isShipped } from "@larmor/graph";
import { AlignCenterHorizontal, AlignCenterVertical, AlignEndHorizontal, AlignEndVertical, AlignHorizontalSpaceBetween, AlignStartHorizontal, AlignStartVertical, AlignVerticalSpaceBetween, Boxes, ChevronRight, CopyPlus, LayoutGrid, Lock, Maximize, Minus, Plus, Repeat2 } from "lucide-react";
import * as actions from "../actions.ts";
import { useGraph, useGraphShallow, useLevel, useSession } from "../state/hooks.ts";

/** What floats over the canvas: where we are, the zoom, and what can be done with several nodes. */
export function Overlays() {
  return (
    <>
      <Panel position="top-left">
        <Breadcrumb />
      </Panel>
      <Panel position="top-center">
        <SelectionBar />
      </Panel>
      <Panel position="bottom-left">
        <Zoom />
      </Panel>
    </>
  );
}

function Breadcrumb() {
  const session = useSession();
  const at = useGraph((s) => s.at);
  const title = useGraph((s) => s.doc.title || "Graph");
  const level = useLevel();
  if (at.length === 0) return null;
  const zone = level.path.length === at.length ? session.state.doc : null;
  return (
    <nav className="float breadcrumb" data-testid="breadcrumb">
      <button className="button small" onClick={() => session.enter([])}>{title}</button>
      {at.map((id, i) => (
        <span key={i}>
          <ChevronRight size={13} />
          <button className={"button small" + (i === at.length - 1 ? " here" : "")} onClick={() => session.enter(at.slice(0, i + 1))}>
            {i === at.length - 1 ? level.graph.title || id : id}
          </button>
        </span>
      ))}
      {zone && <LoopMark />}
      {isShipped(level) && (
        <>
          <span className="badge" title="This graph comes with Larmor: it can be looked at, and changed in a copy"><Lock size={11} />&nbsp;read-only</span>
          <button className="button small" onClick={() => actions.copyShipped(session)} data-testid="copy-shipped"><CopyPlus size={13} /> Copy into this graph</button>
        </>
      )}
    </nav>
  );
}

/** A zone says what it repeats, inside as well. */
function LoopMark() {
  const session = useSession();
  const text = useGraph((s) => {
    const outer = s.at.slice(0, -1), id = s.at.at(-1)!;
    let graph = s.doc;
    for (const n of outer) graph = graph.definitions?.[graph.nodes?.[n]?.graph ?? ""] ?? graph;
    const loop = graph.nodes?.[id]?.loop;
    if (!loop) return "";
    return loop.kind === "each" ? `for each of ${loop.over?.join(", ") || "…"}${loop.axis ? " along " + loop.axis : ""}` : loop.kind === "repeat" ? `${loop.times ?? 1} times` : `until ${loop.condition || "…"}`;
  });
  return text ? (
    <span className="badge" title="This group is a zone" onDoubleClick={() => actions.leaveLevel(session)}>
      <Repeat2 size={11} />&nbsp;{text}
    </span>
  ) : null;
}

function SelectionBar() {
  const session = useSession();
  const { n, ops } = useGraphShallow((s) => ({ n: s.selected.nodes.length + s.selected.comments.length + s.selected.frames.length, ops: s.selected.nodes.length }));
  if (n < 2) return null;
  const align = (side: Parameters<typeof actions.alignSelection>[1], Icon: typeof Plus, title: string) => (
    <button className="button icon small" title={title} onClick={() => actions.alignSelection(session, side)}>
      <Icon size={15} />
    </button>
  );
  return (
    <div className="float" data-testid="selection-bar">
      <span className="muted num selection-count">{n} chosen</span>
      {align("left", AlignStartVertical, "Align left")}
      {align("centre", AlignCenterVertical, "Align centres")}
      {align("right", AlignEndVertical, "Align right")}
      {align("top", AlignStartHorizontal, "Align top")}
      {align("middle", AlignCenterHorizontal, "Align middles")}
      {align("bottom", AlignEndHorizontal, "Align bottom")}
      <button className="button icon small" title="Equal gaps across" disabled={n < 3} onClick={() => actions.distributeSelection(session, "x")}><AlignHorizontalSpaceBetween size={15} /></button>
      <button className="button icon small" title="Equal gaps down" disabled={n < 3} onClick={() => actions.distributeSelection(session, "y")}><AlignVerticalSpaceBetween size={15} /></button>
      <span className="float-line" />
      <button className="button icon small" title="Lay out along the wires" onClick={() => void actions.autoLayout(session)}><LayoutGrid size={15} /></button>
      <button className="button icon small" title="Group" disabled={!ops} onClick={() => actions.groupSelection(session)}><Boxes size={15} /></button>
    </div>
  );
}

function Zoom() {
  const zoom = useStore((s) => Math.round(s.transform[2] * 100));
  const c = () => actions.theCanvas();
  return (
    <div className="float" data-testid="zoom">
      <button className="button icon small" title="Zoom out" onClick={() => c()?.zoom(1 / 1.25)}><Minus size={14} /></button>
      <button className="button small num zoom-value" title="Original size" onClick={() => c()?.zoom("one")}>{zoom} %</button>
      <button className="button icon small" title="Zoom in" onClick={() => c()?.zoom(1.25)}><Plus size={14} /></button>
      <button className="button icon small" title="Show everything" onClick={() => c()?.fit()} data-testid="fit"><Maximize size={14} /></button>
    </div>
  );
}
