// SPDX-License-Identifier: Apache-2.0
import { format, geometry, type Issue, type NeededInput, type NodeReport, type PortView, secondsLeft, type Shown } from "@larmor/graph";
import { Handle, type NodeProps, Position, useStore } from "@xyflow/react";
import { Boxes, Code2, FileOutput, Layers, ListOrdered, Repeat2, StickyNote, Unplug } from "lucide-react";
import { memo, useEffect, useState } from "react";
import { useApp } from "../state/app.ts";
import { useCatalogue, useSession } from "../state/hooks.ts";
import { hideTooltip, showTooltip } from "../ui/Tooltip.tsx";
import { useHold, whyNot } from "./hold.ts";
import { hasPicture, type OpNodeType, thumbnailPort } from "./model.ts";
import { NodeThumbnail } from "./NodeThumbnail.tsx";
import { PortTip } from "./PortTip.tsx";
import { StateIcon, stateLook, useLook } from "./states.tsx";
import { chooseFile, feedInput, sourceOf } from "../actions.ts";

const pressing = new Set<Shown>(["needs", "warning", "error"]);  // told from further away too
/** How much of a node is drawn: all, without small text, or a box. */
const detail = (zoom: number) => (zoom >= 0.5 ? 2 : zoom >= 0.2 ? 1 : 0);
export const useDetail = () => useStore((s) => detail(s.transform[2]));

function OpNode({ id, data, selected }: NodeProps<OpNodeType>) {
  const level = useDetail();
  // From further away only in graphs that are small: pictures of hundreds of nodes would all be fetched at once.
  const pictures = useStore((s) => detail(s.transform[2]) === 2 || s.nodes.length <= 60);
  const { report, missing, input, look: state } = useLook(data.path);
  const { doc, view } = data;
  const mode = doc.mode ?? "normal";
  const className = `node state-${state}${selected ? " selected" : ""}${mode !== "normal" ? " mode-" + mode : ""}${view.kind === "broken" ? " broken" : ""}${doc.loop ? " zone" : ""}${view.kind === "graph" ? " sub" : ""}${doc.folded ? " folded" : ""}`;
  if (level === 0) return <div className={className + " far"} style={{ ["--state" as string]: stateLook[state].colour }} data-testid={`node-${id}`} data-state={state} />;
  return (
    <div className={className + (level === 1 ? " near" : "")} style={{ ["--state" as string]: stateLook[state].colour }} data-testid={`node-${id}`} data-state={state}>
      <div className="node-head">
        <span className="node-title ellipsis">{view.title}</span>
        {level === 2 && (
          <span className="node-marks">
            {doc.note && <StickyNote size={12} aria-label="has a note" />}
            {doc.sweeps && Object.keys(doc.sweeps).length > 0 && <ListOrdered size={13} aria-label={`swept: ${Object.entries(doc.sweeps).map(([n, v]) => `${v.length} × ${n}`).join(", ")}`} />}
            {doc.map && <Layers size={12} aria-label={`mapped over ${doc.map.axis}`} />}
            {doc.loop ? <Repeat2 size={13} aria-label="zone" /> : view.kind === "graph" ? <Boxes size={13} aria-label="group" /> : null}
            {view.op?.user && <Code2 size={13} aria-label="user operation" />}
            {view.op?.effect && <FileOutput size={12} aria-label="writes" />}
            {view.kind === "broken" && <Unplug size={13} aria-label="unknown" />}
          </span>
        )}
        {doc.folded && <StateIcon state={state} />}
        {level === 1 && !doc.folded && pressing.has(state) && <StateIcon state={state} size={26} />}
      </div>
      {state === "running" && <div className="node-progress" style={{ transform: `scaleX(${Math.max(0.02, report?.progress ?? 0)})` }} />}
      {!doc.folded && (level === 2 ? <StateRow id={id} report={report} problem={view.problem} missing={missing} input={input} state={state} /> : <div className="node-state" />)}
      <Ports id={id} data={data} labels={level === 2 && !doc.folded} report={report} />
      {data.shape.thumbnail && pictures && <Picture data={data} report={report} />}
    </div>
  );
}
export default memo(OpNode);

function StateRow({ id, report, problem, missing, input, state: shown }: { id: string; report?: NodeReport; problem?: string; missing?: Issue; input?: NeededInput; state: Shown }) {
  const session = useSession();
  const state = problem ? "error" : shown;
  const look = stateLook[state];
  if (state === "needs" && (missing || input))
    return (
      <div className="node-state" title={[(missing ?? input)!.message, (missing ?? input)!.advice].filter(Boolean).join("\n")}>
        <StateIcon state={state} size={12} />
        <span className="ellipsis">{look.word}</span>
        <button className="button line node-choose nodrag" onClick={() => (missing ? chooseFile(session, id, missing.port ?? "") : feedInput(session, input!.name))} data-testid={`choose-${id}`}>Choose</button>
      </div>
    );
  let text: string = look.word, right = "";
  if (problem) text = problem;
  else if (report && state === "running") {
    text = report.doing || look.word;
    right = `${Math.round((report.progress ?? 0) * 100)} %`;
  } else if (report && state === "error") text = report.error || look.word;
  else if (report && state === "warning") text = report.warnings?.[0] ?? look.word;
  if (report?.seconds && (state === "done" || state === "warning" || state === "error")) right = format.seconds(report.seconds);
  return (
    <div className="node-state" title={[text, report?.advice].filter(Boolean).join("\n")}>
      <StateIcon state={state} size={12} />
      <span className="ellipsis">{text}</span>
      <span className="num node-time">
        {right}
        {state === "running" && report && <Left report={report} />}
      </span>
    </div>
  );
}

/** Time left, counted from when this page saw the node begin. */
function Left({ report }: { report: NodeReport }) {
  const [begun] = useState(() => performance.now());
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  const left = secondsLeft(report, (performance.now() - begun) / 1000);
  if (!(Number.isFinite(left) && left > 0.4)) return null;
  const runs = report.runs ?? 0;
  const from = runs ? `from ${runs} earlier ${runs === 1 ? "run" : `runs, ${format.seconds(report.mean_seconds ?? 0)} each`}` : "from how far it is";
  return <span title={`time left, ${from}`} data-testid={`left-${report.path}`}> · {format.seconds(Math.ceil(left)).replace(/\.0+(?= )/, "")} left</span>;
}

function Ports({ id, data, labels, report }: { id: string; data: OpNodeType["data"]; labels: boolean; report?: NodeReport }) {
  const held = useHold((s) => s.held);
  const catalogue = useCatalogue();
  const session = useSession();
  const { view, shape } = data;
  /** The value of a number beside its port, where the port across leaves room. */
  const room = (i: number) => {
    const p = view.outputs[i];
    const value = p && report?.outputs?.[p.name];
    if (value?.type !== "number" || !Number.isFinite(Number(value.describe))) return "";
    const text = format.number(Number(value.describe));
    const used = geometry.textWidth(view.inputs[i]?.name ?? "", 11.5) + geometry.textWidth(`${text} ${p!.name}`, 11.5) + 40;
    return used <= shape.w ? text : "";
  };
  const port = (p: PortView, i: number, side: "in" | "out") => {
    const refusal = held ? whyNot(catalogue, held, id, p, side) : "";
    const mine = held?.node === id && held.port === p.name && held.side === side;
    const colour = catalogue.colour(p.type);
    const value = side === "out" ? report?.outputs?.[p.name] : undefined;
    const className = `port ${side}${p.required && side === "in" ? " required" : ""}${p.setting ? " setting" : ""}${held && !mine ? (refusal ? " dim" : " swell") : ""}${value?.hash ? (value.unchanged ? " unchanged" : " fresh") : ""}`;
    const tip = (x: number, y: number) => {
      const holding = useHold.getState().held;
      const source = side === "in" ? sourceOf(session, id, p.name) : null;
      const of = source ?? (side === "out" ? { path: data.path, port: p.name } : null);
      const node = of ? session.reports.get(of.path) : undefined;
      showTooltip(x + 14, y + 14, <PortTip title={p.name} port={p} type={catalogue.typeTitle(p.type)} colour={colour} value={of ? node?.outputs?.[of.port] : undefined} node={node} where={of ? { api: session.api, graph: session.id, port: `${of.path}.${of.port}` } : undefined} refusal={holding ? whyNot(catalogue, holding, id, p, side) : ""} />, holding ? 60 : 450);
    };
    return (
      <div
        key={side + p.name}
        className={className}
        style={{ top: shape.portY(i) - 11, ["--type" as string]: colour }}
        onPointerEnter={(e) => tip(e.clientX, e.clientY)}
        onPointerLeave={hideTooltip}
        onPointerDown={hideTooltip}
        data-testid={`port-${id}-${side}-${p.name}`}
      >
        <Handle type={side === "in" ? "target" : "source"} position={side === "in" ? Position.Left : Position.Right} id={p.name} />
        {labels && <span className="port-name ellipsis">{side === "out" && room(i) && <b className="num">{room(i)} </b>}{p.setting ? "⚙ " : ""}{p.name}</span>}
      </div>
    );
  };
  return (
    <>
      {view.inputs.map((p, i) => port(p, i, "in"))}
      {view.outputs.map((p, i) => port(p, i, "out"))}
    </>
  );
}

function Picture({ data, report }: { data: OpNodeType["data"]; report?: NodeReport }) {
  const catalogue = useApp((s) => s.catalogue);
  // Of several outputs with pictures the first that holds something.
  const filled = data.view.outputs.find((p) => (report?.outputs?.[p.name]?.bytes ?? 0) > 0 && hasPicture(p, catalogue));
  const port = filled?.name ?? thumbnailPort(data.view, catalogue);
  return (
    <div className="node-thumbnail">
      {port && report?.outputs?.[port]?.hash ? <NodeThumbnail port={`${data.path}.${port}`} hash={report.outputs[port].hash!} /> : <span className="node-thumbnail-none" />}
    </div>
  );
}
