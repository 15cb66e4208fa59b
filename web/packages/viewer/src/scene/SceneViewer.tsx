// SPDX-License-Identifier: Apache-2.0
import { Axis3d, Download, Pause, Play, RotateCcw } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { isRecord, textField } from "../api/tree.ts";
import { useLoaded, useSize } from "../hooks/data.ts";
import { useOptions } from "../hooks/store.ts";
import { IconButton, Message, Waiting } from "../ui/kit.tsx";
import { captioned, fileName, savePng } from "../ui/save.ts";
import type { InnerProps } from "../viewers.ts";
import { boxOf, sceneItems, sceneTimes, timeText } from "./items.ts";
import { ScaleBar } from "./ScaleBar.tsx";
import { SceneStage } from "./stage.ts";
import { usePlay } from "./usePlay.ts";

interface SceneOptions {
  view?: number[];
  step?: number;
  axes?: boolean;
  hidden?: number[];
}
/** On the dark ground that pictures have in every theme. */
export const ink = { fg: "#e6e9ee", muted: "#98a2ae" };

/** Points, lines, spheres and arrows that can be turned around, with time. */
export default function SceneViewer(p: InnerProps): ReactNode {
  const { client, port, info } = p;
  const [options, change] = useOptions<SceneOptions>(p.options, p.onOptions);
  const got = useLoaded(`${port} ${info.hash} scene`, (signal) => sceneItems(client, port, info, signal));
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const [stage, setStage] = useState<SceneStage | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const times = useMemo(() => (got.data ? sceneTimes(got.data) : []), [got.data]);
  const step = Math.min(options.step ?? times.length - 1, times.length - 1);
  const span = times.length > 1 ? times.at(-1)! - times[0]! : 0;
  const { playing, setPlaying } = usePlay(times, step, (next) => change({ step: next }));
  const latest = useRef(change);
  latest.current = change;

  useEffect(() => {
    let made: SceneStage | null = null;
    try {
      made = new SceneStage(canvas.current!, () => latest.current({ view: made!.view }));
      setStage(made);
    } catch (e) {
      setFailure(e);
    }
    return () => {
      setStage(null);
      made?.dispose();
    };
  }, []);
  const view = useRef(options.view);
  useEffect(() => {
    if (!stage || !got.data) return;
    const names = isRecord(info.value) && Array.isArray(info.value["axes"]) ? info.value["axes"].map(String) : undefined;
    stage.set(got.data, { unit: textField(info.value, "unit"), axes: names, box: boxOf(info.value), ink });
    stage.look(view.current);
  }, [stage, got.data, info.value]);
  useEffect(() => void stage?.resize(size.width, size.height), [stage, size]);
  useEffect(() => {
    stage?.time(times[step] ?? Infinity, options.hidden ?? []);
    stage?.axes(options.axes ?? true);
  }, [stage, got.data, times, step, options.hidden, options.axes]);
  if (got.error || failure) return <Message error={got.error ?? failure} />;
  const named = (got.data ?? []).map((item, k) => ({ item, k })).filter(({ item }) => item.title);
  return (
    <div className={`lmv lmv-scene${p.plain ? " lmv-plain" : ""}`}>
      {!p.plain && (
        <div className="lmv-toolbar" role="toolbar" aria-label="Scene tools">
          <IconButton icon={Axis3d} title="Axes" on={options.axes ?? true} onClick={() => change({ axes: !(options.axes ?? true) })} />
          <IconButton
            icon={RotateCcw}
            title="Look from the start"
            onClick={() => {
              stage?.look(undefined);
              change({ view: undefined });
            }}
          />
          {named.length > 1 && named.length <= 12 && (
            <span className="lmv-chips">
              {named.map(({ item, k }) => {
                const off = options.hidden?.includes(k) ?? false;
                return (
                  <button
                    key={k}
                    type="button"
                    aria-pressed={!off}
                    onClick={() => change({ hidden: off ? options.hidden!.filter((h) => h !== k) : [...(options.hidden ?? []), k] })}
                  >
                    <i style={{ background: typeof item.colours === "string" ? item.colours : "linear-gradient(90deg, #3b528b, #21918c, #fde725)" }} />
                    {item.title}
                  </button>
                );
              })}
            </span>
          )}
          <span className="lmv-space" />
          <IconButton
            icon={Download}
            title="Save as PNG"
            onClick={() => {
              stage?.draw(); // the buffer is only there right after a draw
              if (canvas.current) void savePng(captioned(canvas.current, { text: [p.title ?? port, times.length > 1 ? `t ${timeText(times[step] ?? 0, span)}` : ""].filter(Boolean).join("  ·  ") }), fileName(port, "png"));
            }}
          />
        </div>
      )}
      <div className="lmv-canvas-box" ref={box}>
        <canvas ref={canvas} tabIndex={0} role="img" aria-label={`${p.title ?? port}: drag to turn, right button to move, wheel to zoom`} />
        {!got.data && <Waiting />}
        <div className="lmv-scales">{(got.data ?? []).map((item, k) => item.scale && !options.hidden?.includes(k) && <ScaleBar key={k} scale={item.scale} />)}</div>
      </div>
      {times.length > 1 && (
        <div className="lmv-axes">
          <div className="lmv-slider">
            <IconButton icon={playing ? Pause : Play} title={playing ? "Stop" : "Play"} on={playing} onClick={() => setPlaying(!playing)} />
            <span className="lmv-axis">t</span>
            <input
              type="range"
              aria-label="Time"
              min={0}
              max={times.length - 1}
              value={step}
              onChange={(e) => {
                setPlaying(false);
                change({ step: Number(e.target.value) });
              }}
            />
            <span className="lmv-count">{timeText(times[step] ?? 0, span)}</span>
          </div>
        </div>
      )}
    </div>
  );
}
