// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useRef, useState, type ReactNode, type RefObject } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useSize } from "../hooks/data.ts";
import { lineColours } from "../maths/lines.ts";
import { short } from "../maths/window.ts";

export interface Series {
  label: string;
  values: ArrayLike<number>;
  colour?: string;
}
export interface PlotProps {
  x: ArrayLike<number>;
  series: Series[];
  xLabel?: string;
  yLabel?: string;
  logX?: boolean;
  logY?: boolean;
  points?: boolean;
  height?: number;
  compact?: boolean;
  /** Fill the height of the parent. */
  fill?: boolean;
  handle?: RefObject<uPlot | null>;
  onLegend?: (index: number, shown: boolean) => void;
  hidden?: number[];
  sync?: string;
}



function themed(element: HTMLElement): { fg: string; muted: string; grid: string } {
  const css = getComputedStyle(element);
  const get = (name: string, or: string) => css.getPropertyValue(name).trim() || or;
  return { fg: get("--lm-fg", "#1c2128"), muted: get("--lm-muted", "#6b7280"), grid: get("--lm-border", "#d9dde3") };
}

/** uPlot with the colours of the theme and a legend of our own. Data changes are set, everything else makes a new plot. */
export function Plot(p: PlotProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const plot = useRef<uPlot | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const data = useMemo(() => align(p.x, p.series, p.logX, p.logY), [p.x, p.series, p.logX, p.logY]);
  const theme = box.current ? JSON.stringify(themed(box.current)) : "";
  const shape = JSON.stringify([p.series.map((s) => [s.label, s.colour]), p.xLabel, p.yLabel, p.logX, p.logY, p.points, p.compact, p.sync, theme]);
  const props = useRef({ ...p, data });
  props.current = { ...p, data };
  const ready = size.width > 0 && size.height > 0;

  useEffect(() => {
    const element = box.current;
    if (!element || !ready) return;
    const { series, logX, logY, xLabel, yLabel, compact, points, hidden, sync, handle } = props.current;
    const colours = themed(element);
    const font = `11px "Inter Variable", system-ui, sans-serif`;
    const axis = (label: string | undefined): uPlot.Axis => ({
      stroke: colours.muted,
      font,
      labelFont: font,
      labelSize: label ? 16 : 0,
      labelGap: 0,
      label: label || undefined,
      grid: { stroke: colours.grid, width: 0.5 },
      ticks: { stroke: colours.grid, width: 1, size: 4 },
      values: (_u, splits) => splits.map((v) => (v === null ? "" : short(v))),
    });
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: element.clientHeight,
        padding: [8, 12, compact ? 2 : 0, 0],
        cursor: { drag: { x: true, y: true, uni: 24 }, points: { size: 7 }, ...(sync ? { sync: { key: sync } } : {}) },
        legend: { show: false },
        scales: { x: { time: false, distr: logX ? 3 : 1 }, y: { distr: logY ? 3 : 1 } },
        axes: [
          { ...axis(xLabel), size: 26, space: 60 },
          { ...axis(yLabel), size: (_u, values) => 12 + 6.2 * Math.max(3, ...(values ?? []).map((v) => String(v).length)), space: compact ? 22 : 34 },
        ],
        series: [
          {},
          ...series.map((s, k) => ({
            label: s.label,
            stroke: s.colour ?? lineColours[k % lineColours.length]!,
            width: 1.5,
            pxAlign: 0,  // whole pixels make stairs of a slope
            show: !hidden?.includes(k),
            spanGaps: false,
            points: points === undefined && !compact ? {} : { show: points ?? false, size: 5 },
          })),
        ],
        hooks: { setCursor: [(u) => setIndex(u.cursor.idx ?? null)] },
      },
      props.current.data,
      element,
    );
    plot.current = made;
    if (handle) handle.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [shape, ready]);

  useEffect(() => {
    const u = plot.current;
    if (u && u.data !== data) u.setData(data);
  }, [data]);
  useEffect(() => {
    if (ready) plot.current?.setSize({ width: size.width, height: size.height });
  }, [size, ready]);
  const hiddenText = (p.hidden ?? []).join(",");
  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    const hidden = hiddenText ? hiddenText.split(",").map(Number) : [];
    u.series.forEach((s, k) => {
      if (k > 0 && (s.show ?? true) === hidden.includes(k - 1)) u.setSeries(k, { show: !hidden.includes(k - 1) });
    });
  }, [hiddenText, shape]);

  const value = (k: number) => {
    const v = index === null ? undefined : data[k]?.[index];
    return v === undefined || v === null ? "" : short(v, 5);
  };
  return (
    <div className={p.fill ? "lmv-plot lmv-fill" : "lmv-plot"} style={p.fill ? undefined : { height: p.height ?? 220 }}>
      {!p.compact && (
        <div className="lmv-legend">
          {p.series.map((s, k) => {
            const off = p.hidden?.includes(k) ?? false;
            return (
              <button key={k} type="button" aria-pressed={!off} title={off ? "Show" : "Hide"} onClick={() => p.onLegend?.(k, off)}>
                <i style={{ background: s.colour ?? lineColours[k % lineColours.length] }} />
                {s.label}
                <b>{value(k + 1)}</b>
              </button>
            );
          })}
          {index !== null && (
            <span className="lmv-muted">
              {p.xLabel ?? "x"} {value(0)}
            </span>
          )}
        </div>
      )}
      <div className="lmv-uplot" ref={box} />
      {p.compact && index !== null && (
        <span className="lmv-plot-value">
          {value(0)} {p.xLabel}: {p.series.map((_, k) => value(k + 1)).slice(0, 4).join(", ")}
        </span>
      )}
    </div>
  );
}

/** What uPlot draws: NaN and what a log axis has no place for are gaps. */
export function align(x: ArrayLike<number>, series: readonly Series[], logX = false, logY = false): uPlot.AlignedData {
  const order = sorted(x) ? null : Array.from({ length: x.length }, (_, i) => i).sort((a, b) => x[a]! - x[b]!);
  const take = (v: ArrayLike<number>, log: boolean) =>
    Array.from({ length: x.length }, (_, n) => {
      const value = v[order ? order[n]! : n];
      return value === undefined || !Number.isFinite(value) || (log && value <= 0) ? null : value;
    });
  const xs = take(x, false);
  const keep = xs.map((v) => v !== null && (!logX || v > 0));
  const filtered = <T,>(list: T[]) => (keep.every(Boolean) ? list : list.filter((_, i) => keep[i]));
  return [filtered(xs) as number[], ...series.map((s) => filtered(take(s.values, logY)))];
}

function sorted(x: ArrayLike<number>): boolean {
  for (let i = 1; i < x.length; ++i) if (x[i]! < x[i - 1]!) return false;
  return true;
}
