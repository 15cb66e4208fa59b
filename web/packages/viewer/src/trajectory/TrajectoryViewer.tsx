// SPDX-License-Identifier: Apache-2.0
import { Download, Layers, Pause, Play, RotateCcw } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { isRecord, numberList, numbersAt, textField } from "../api/tree.ts";
import { Plot } from "../curves/Plot.tsx";
import { messages, ViewerError } from "../errors.ts";
import { useArrays, useLoaded, useSize } from "../hooks/data.ts";
import { useOptions } from "../hooks/store.ts";
import { columnsCsv } from "../maths/csv.ts";
import { extent, type Indices } from "../maths/axes.ts";
import { short } from "../maths/window.ts";
import { timeText, type Scale } from "../scene/items.ts";
import { ScaleBar } from "../scene/ScaleBar.tsx";
import { ink } from "../scene/SceneViewer.tsx";
import { SceneStage } from "../scene/stage.ts";
import { usePlay } from "../scene/usePlay.ts";
import { IconButton, MenuItem, Message, Popover, Waiting } from "../ui/kit.tsx";
import { captioned, fileName, savePng, saveText } from "../ui/save.ts";
import type { InnerProps } from "../viewers.ts";
import { pathItems, pathQuery, pathsOf, trajectoryShape, type TrajectoryShape } from "./paths.ts";

interface TrajectoryOptions {
  at?: Indices;
  one?: boolean;
  step?: number;
  view?: number[];
  hidden?: number[];
}

/** Where k-space was sampled: the path, coloured by time, and its coordinates along one arm. */
export default function TrajectoryViewer(p: InnerProps): ReactNode {
  const shape = useMemo(() => trajectoryShape(p.info), [p.info]);
  if (!shape) return <Message error={new ViewerError(messages.noTrajectory())} />;
  return <Shown {...p} shape={shape} />;
}

function Shown(p: InnerProps & { shape: TrajectoryShape }): ReactNode {
  const { client, port, info, shape } = p;
  const { leaf, arm, dimensions, matrix } = shape;
  const [options, change] = useOptions<TrajectoryOptions>(p.options, p.onOptions);
  const atText = JSON.stringify(options.at ?? {});
  const queries = useMemo(() => [pathQuery(shape, JSON.parse(atText) as Indices)], [shape, atText]);
  const got = useArrays(client, port, info.hash, queries);
  const told = isRecord(info.value) ? info.value["times"] : undefined;
  const clock = useLoaded(`${info.hash} times`, async (signal) => numberList(told) ?? (await numbersAt(client, port, info.hash, told, signal)) ?? []);

  const arms = arm ? extent(leaf, arm) : 1;
  const chosenArm = Math.min(arm ? (options.at?.[arm] ?? 0) : 0, arms - 1);
  const one = (options.one ?? true) && arms > 1;
  const paths = useMemo(() => (got.data?.[0] ? pathsOf(got.data[0], arm !== null) : null), [got.data, arm]);
  const row = paths ? Math.min(paths.arms - 1, Math.floor(chosenArm / paths.step[1])) : 0;
  const timed = (clock.data?.length ?? 0) >= extent(leaf, shape.sample);
  const times = useMemo(
    () => (paths && !clock.loading ? Array.from({ length: paths.samples }, (_, s) => (timed ? clock.data![s * paths.step[0]]! : s * paths.step[0])) : null),
    [paths, clock.loading, clock.data, timed],
  );
  const scale = useMemo<Scale | null>(() => {
    if (!times?.length) return null;
    const factor = timed ? 1e3 : 1;
    return { map: "turbo", lo: times[0]! * factor, hi: Math.max(times.at(-1)! * factor, times[0]! * factor + 1e-9), title: timed ? "time" : "sample", unit: timed ? "ms" : "" };
  }, [times, timed]);
  const items = useMemo(() => {
    if (!paths || !times || !scale) return null;
    const shown = timed ? times.map((t) => t * 1e3) : times;
    return pathItems(paths, dimensions, shown, scale, one ? row : null);
  }, [paths, times, scale, dimensions, timed, one, row]);

  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const outer = useRef<HTMLDivElement>(null);
  const outerSize = useSize(outer);
  const [stage, setStage] = useState<SceneStage | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
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
  useEffect(() => void stage?.resize(size.width, size.height), [stage, size]);
  const placed = useRef<SceneStage | null>(null);
  const ready = size.width > 1 && size.height > 1;
  useEffect(() => {
    if (!stage || !items || !ready) return;
    const edge = [0, 1, 2].map((c) => (c < dimensions ? (matrix[c] ?? 0) / 2 : 0));
    const box = edge[0]! > 0 && edge[1]! > 0 ? { low: edge.map((v) => -v) as [number, number, number], high: edge as [number, number, number] } : null;
    stage.set(items, { unit: "1/FOV", axes: ["kx", "ky", "kz"], box, flat: dimensions === 2, ink });
    // Another arm is looked at from where the last one was.
    if (placed.current !== stage) stage.look(options.view);
    placed.current = stage;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the view is only where one starts from
  }, [stage, items, dimensions, matrix, ready]);
  const count = times?.length ?? 0;
  const step = Math.min(options.step ?? count - 1, count - 1);
  const { playing, setPlaying } = usePlay(times ?? [], step, (next) => change({ step: next }));
  const now = times?.[step] ?? 0;
  useEffect(() => void stage?.time(timed ? now * 1e3 : now, []), [stage, items, now, timed]);

  const curve = useMemo(() => {
    if (!paths || !times) return null;
    const x = times.map((t) => (timed ? t * 1e3 : t));
    const series = Array.from({ length: dimensions }, (_, c) => ({ label: ["kx", "ky", "kz"][c]!, values: Float64Array.from({ length: paths.samples }, (_, s) => paths.k(s, row, c)) }));
    return { x, series };
  }, [paths, times, timed, dimensions, row]);
  const sliders = [...(arm && arms > 1 ? [arm] : []), ...shape.others];
  const wide = outerSize.width > 640;
  const span = count > 1 ? times!.at(-1)! - times![0]! : 0;
  const moment = timed ? timeText(now, span) : `${now}`;
  const xLabel = timed ? "t [ms]" : "sample";
  if (got.error || failure) return <Message error={got.error ?? failure} />;
  const thinned = paths && (paths.step[0] > 1 || paths.step[1] > 1);
  return (
    <div className={`lmv lmv-trajectory${p.plain ? " lmv-plain" : ""}`} ref={outer}>
      {!p.plain && (
        <div className="lmv-toolbar" role="toolbar" aria-label="Trajectory tools">
          {arms > 1 && <IconButton icon={Layers} title="All arms, or one before the others" on={!one} onClick={() => change({ one: !one })} />}
          <IconButton
            icon={RotateCcw}
            title="Look from the start"
            onClick={() => {
              stage?.look(undefined);
              change({ view: undefined });
            }}
          />
          <span className="lmv-muted lmv-facts">
            {[`${extent(leaf, shape.sample)} samples`, arms > 1 && `${arms} arms`, matrix.length > 0 && `matrix ${matrix.join(" × ")}`, textField(info.value, "source")].filter(Boolean).join("  ·  ")}
            {thinned && `  ·  every ${paths.step[0]}. sample and ${paths.step[1]}. arm is drawn`}
          </span>
          <span className="lmv-space" />
          <Popover icon={Download} title="Save">
            {(close) => (
              <div className="lmv-form">
                <MenuItem
                  onClick={() => {
                    stage?.draw();
                    if (canvas.current) void savePng(captioned(canvas.current, { text: [p.title ?? port, `t ${moment}`].join("  ·  ") }), fileName(port, "png"));
                    close();
                  }}
                >
                  PNG, what is seen
                </MenuItem>
                <MenuItem
                  onClick={() => {
                    if (curve) saveText(columnsCsv([xLabel, ...curve.series.map((s) => `${s.label} [1/FOV]`)], [curve.x, ...curve.series.map((s) => s.values)]), fileName(`${port}-arm${chosenArm}`, "csv"));
                    close();
                  }}
                >
                  CSV of this arm
                </MenuItem>
              </div>
            )}
          </Popover>
        </div>
      )}
      <div className={wide ? "lmv-split" : "lmv-split lmv-stacked"}>
        <div className="lmv-canvas-box" ref={frame}>
          <canvas ref={canvas} tabIndex={0} role="img" aria-label={`${p.title ?? port}: path through k-space; ${dimensions === 2 ? "drag to move" : "drag to turn"}, wheel to zoom`} />
          {!items && <Waiting />}
          {scale && <div className="lmv-scales"><ScaleBar scale={scale} /></div>}
        </div>
        <div className="lmv-side">
          {curve && (
            <Plot
              x={curve.x}
              series={curve.series}
              xLabel={xLabel}
              yLabel={arms > 1 ? `k of ${arm} ${chosenArm} [1/FOV]` : "k [1/FOV]"}
              points={false}
              hidden={options.hidden}
              onLegend={(k, shown) => change({ hidden: shown ? (options.hidden ?? []).filter((h) => h !== k) : [...(options.hidden ?? []), k] })}
              fill
            />
          )}
        </div>
      </div>
      <div className="lmv-axes">
        {count > 1 && (
          <div className="lmv-slider">
            <IconButton icon={playing ? Pause : Play} title={playing ? "Stop" : "Play"} on={playing} onClick={() => setPlaying(!playing)} />
            <span className="lmv-axis">t</span>
            <input
              type="range"
              aria-label="Time"
              min={0}
              max={count - 1}
              value={step}
              onChange={(e) => {
                setPlaying(false);
                change({ step: Number(e.target.value) });
              }}
            />
            <span className="lmv-count">{moment}</span>
          </div>
        )}
        {sliders.map((axis) => (
          <div className="lmv-slider" key={axis}>
            <span className="lmv-axis">{axis}</span>
            <input
              type="range"
              aria-label={`Index along ${axis}`}
              min={0}
              max={extent(leaf, axis) - 1}
              value={axis === arm ? chosenArm : (options.at?.[axis] ?? 0)}
              onChange={(e) => change({ at: { ...options.at, [axis]: Number(e.target.value) }, ...(axis === arm ? { one: true } : {}) })}
            />
            <span className="lmv-count">
              {axis === arm ? chosenArm : short(options.at?.[axis] ?? 0)}
              <i>/{extent(leaf, axis) - 1}</i>
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}
