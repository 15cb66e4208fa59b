// SPDX-License-Identifier: Apache-2.0
import { findDefinition, type Loop, type MapOver, type NodeDoc, type NodeView, setLoop, setMap } from "@larmor/graph";
import * as actions from "../actions.ts";
import { useLevel, useSession } from "../state/hooks.ts";

const number = (text: string, least: number) => Math.max(least, Math.round(Number(text)) || least);

/** How a node runs: as it is, bypassed, frozen; once, or for every index of an axis. */
export function Behaviour({ id, doc, view }: { id: string; doc: NodeDoc; view: NodeView }) {
  const session = useSession();
  const mode = doc.mode ?? "normal";
  const map = doc.map;
  const change = (m: MapOver | undefined) => session.edit(m ? "map over axis" : "end mapping", (g) => setMap(g, id, m));
  return (
    <div className="pair">
      <label>Mode</label>
      <div className="segmented">
        {(["normal", "bypass", "freeze"] as const).map((m) => (
          <button key={m} aria-pressed={mode === m} onClick={() => mode !== m && (m === "normal" ? actions.toggleMode(session, mode as "bypass", [id]) : actions.toggleMode(session, m, [id]))} data-testid={`mode-${m}`}>
            {m === "normal" ? "Run" : m === "bypass" ? "Bypass" : "Freeze"}
          </button>
        ))}
      </div>
      <label htmlFor="map-axis">Map over axis</label>
      <input id="map-axis" className="field" placeholder="none" key={map?.axis ?? ""} defaultValue={map?.axis ?? ""} onBlur={(e) => e.target.value !== (map?.axis ?? "") && change(e.target.value.trim() ? { ...map, axis: e.target.value.trim() } : undefined)} onKeyDown={(e) => e.key === "Enter" && e.currentTarget.blur()} data-testid="map-axis" />
      {map && (
        <>
          <label>Sliced inputs</label>
          <div>
            {view.inputs.filter((p) => !p.setting).map((p) => {
              const on = map.inputs?.includes(p.name) ?? false;
              return (
                <label key={p.name} className="check" style={{ marginRight: 12 }}>
                  <input type="checkbox" checked={on} onChange={() => change({ ...map, inputs: on ? map.inputs!.filter((n) => n !== p.name) : [...(map.inputs ?? []), p.name] })} />
                  {p.name}
                </label>
              );
            })}
            {!map.inputs?.length && <div className="setting-what">none chosen: all that have the axis</div>}
          </div>
          <label>At once</label>
          <input className="field" key={map.in_flight ?? 0} defaultValue={map.in_flight ? map.in_flight : ""} placeholder="one a thread" onBlur={(e) => change({ ...map, in_flight: e.target.value ? number(e.target.value, 1) : undefined })} />
        </>
      )}
    </div>
  );
}

/** A group that runs repeatedly: over what, how often, what goes around. */
export function LoopForm({ id, doc, view }: { id: string; doc: NodeDoc; view: NodeView }) {
  const session = useSession();
  const level = useLevel();
  const loop = doc.loop;
  const change = (l: Loop | undefined) => session.edit(l ? (loop ? "change loop" : "make a zone") : "end the loop", (g) => setLoop(g, id, l));
  const inner = doc.graph ? findDefinition(level, doc.graph)?.graph : undefined;
  const inputs = view.inputs.map((p) => p.name), outputs = Object.keys(inner?.outputs ?? {}).length ? Object.keys(inner!.outputs!) : view.outputs.map((p) => p.name);
  const kind = loop?.kind;
  return (
    <div className="pair">
      <label>Runs</label>
      <select className="field" value={kind ?? ""} onChange={(e) => change(e.target.value ? { ...loop, kind: e.target.value as Loop["kind"], ...(e.target.value !== "each" && !loop?.times ? { times: 5 } : {}) } : undefined)} data-testid="loop-kind">
        <option value="">once</option>
        <option value="repeat">a number of times</option>
        <option value="each">for each element</option>
        <option value="until">until a condition</option>
      </select>
      {loop && kind !== "each" && (
        <>
          <label>{kind === "until" ? "At most" : "Times"}</label>
          <input className="field num" key={loop.times} defaultValue={loop.times ?? 1} onBlur={(e) => number(e.target.value, 1) !== loop.times && change({ ...loop, times: number(e.target.value, 1) })} onKeyDown={(e) => e.key === "Enter" && e.currentTarget.blur()} data-testid="loop-times" />
        </>
      )}
      {loop && kind === "each" && (
        <>
          <label>Over</label>
          <div>
            {inputs.map((name) => {
              const on = loop.over?.includes(name) ?? false;
              return (
                <label key={name} className="check" style={{ marginRight: 12 }}>
                  <input type="checkbox" checked={on} onChange={() => change({ ...loop, over: on ? loop.over!.filter((n) => n !== name) : [...(loop.over ?? []), name] })} />
                  {name}
                </label>
              );
            })}
          </div>
          <label>Along axis</label>
          <input className="field" key={loop.axis} placeholder="elements of a list" defaultValue={loop.axis ?? ""} onBlur={(e) => e.target.value.trim() !== (loop.axis ?? "") && change({ ...loop, axis: e.target.value.trim() || undefined })} />
        </>
      )}
      {loop && kind === "until" && (
        <>
          <label>Stops at</label>
          <select className="field" value={loop.condition ?? ""} onChange={(e) => change({ ...loop, condition: e.target.value || undefined })}>
            <option value="">choose an output</option>
            {outputs.map((o) => <option key={o}>{o}</option>)}
          </select>
        </>
      )}
      {loop &&
        inputs.map((name) => (
          <FeedbackRow key={name} name={name} outputs={outputs} value={loop.feedback?.[name] ?? ""} onChange={(v) => {
            const feedback = { ...loop.feedback };
            if (v) feedback[name] = v;
            else delete feedback[name];
            change({ ...loop, feedback });
          }} />
        ))}
      {loop && (
        <>
          <label>History</label>
          <label className="check"><input type="checkbox" className="switch" checked={loop.history ?? false} onChange={(e) => change({ ...loop, history: e.target.checked || undefined })} /> keep every round</label>
        </>
      )}
    </div>
  );
}
function FeedbackRow({ name, outputs, value, onChange }: { name: string; outputs: string[]; value: string; onChange: (v: string) => void }) {
  return (
    <>
      <label className="ellipsis" title={`What the input ${name} gets in the next round`}>Next {name}</label>
      <select className="field" value={value} onChange={(e) => onChange(e.target.value)}>
        <option value="">as it is wired</option>
        {outputs.map((o) => <option key={o} value={o}>output {o}</option>)}
      </select>
    </>
  );
}
