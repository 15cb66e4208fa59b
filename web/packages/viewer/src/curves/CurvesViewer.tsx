// SPDX-License-Identifier: Apache-2.0
import { ChartNoAxesColumn, Download, RotateCcw, Settings2 } from "lucide-react";
import { useMemo, useRef, type ReactNode } from "react";
import type uPlot from "uplot";
import { isComplex } from "../api/decode.ts";
import { isLeaf, leaves, numbersAt } from "../api/tree.ts";
import { messages, ViewerError } from "../errors.ts";
import { useArrays, useLoaded } from "../hooks/data.ts";
import { useOptions } from "../hooks/store.ts";
import { completeIndices, extent, sliderAxes } from "../maths/axes.ts";
import { lineColours } from "../maths/lines.ts";
import { columnsCsv } from "../maths/csv.ts";
import { complexParts, partTitles } from "../maths/parts.ts";
import { spacingOf } from "../maths/geometry.ts";
import { geometryOf } from "../image/source.ts";
import type { ArrayLeaf, Part } from "../types.ts";
import { IconButton, MenuItem, Message, Popover, Select, Waiting } from "../ui/kit.tsx";
import { captioned, fileName, savePng, saveText } from "../ui/save.ts";
import type { InnerProps } from "../viewers.ts";
import { Plot, type Series } from "./Plot.tsx";
import { curveNumbers, curveQuery, curvesOf, curveSource, defaultAlong, defaultFamily, mostSeries, type CurveOptions, type CurveRecord } from "./source.ts";

interface Family {
  x: ArrayLike<number>;
  series: Series[];
  xLabel: string;
  yLabel: string;
}

/** 1-D arrays, families of them, and records of times and values. */
export default function CurvesViewer(p: InnerProps): ReactNode {
  const [options, change] = useOptions<CurveOptions>(p.options, p.onOptions);
  const source = useMemo(() => curveSource(p.info, options.path), [p.info, options.path]);
  if (!source) return <Message error={new ViewerError(messages.noCurve(p.info.type))} />;
  return source.kind === "array" ? (
    <FromArray {...p} options={options} change={change} leaf={source.leaf} unit={source.unit} />
  ) : (
    <FromRecords {...p} options={options} change={change} curves={source.curves} />
  );
}

type Common = Omit<InnerProps, "options"> & { options: CurveOptions; change: (c: Partial<CurveOptions>) => void };

function FromArray(p: Common & { leaf: ArrayLeaf; unit: string }): ReactNode {
  const { client, port, info, options, change, leaf } = p;
  const axes = leaf.axes.filter((a) => extent(leaf, a) > 1);
  const along = options.along && leaf.axes.includes(options.along) ? options.along : defaultAlong(leaf);
  const family =
    options.family === undefined || (options.family !== null && (options.family === along || !leaf.axes.includes(options.family)))
      ? defaultFamily(leaf, along)
      : options.family;
  const complex = isComplex(leaf.dtype);
  const part = options.part ?? "abs";
  const shown = family ? [along, family] : [along];
  const at = completeIndices(leaf, shown, options.at);
  const key = JSON.stringify(at);
  const queries = useMemo(() => [curveQuery(leaf, along, family, JSON.parse(key))], [leaf, along, family, key]);
  const got = useArrays(client, port, info.hash, queries);
  const value = info.value;
  const timesTree = value && typeof value === "object" && !Array.isArray(value) && !isLeaf(value) ? value["times"] : undefined;
  const times = useLoaded(timesTree ? `${info.hash} times` : null, (signal) => numbersAt(client, port, info.hash, timesTree, signal));
  const spacing = spacingOf(leaf, along, geometryOf(value));
  const drawn = useMemo<Family | null>(() => {
    const data = got.data?.[0];
    if (!data) return null;
    const columns = curvesOf(data, part);
    const n = data.shape[0] ?? 1;
    const step = data.step[0] ?? 1;
    const t = along === "t" && times.data && times.data.length >= n * step - step + 1 ? times.data : null;
    const x = Float64Array.from({ length: n }, (_, i) => (t ? t[i * step]! : spacing ? i * step * spacing : i * step));
    return {
      x,
      xLabel: t ? "t [s]" : spacing ? `${along} [mm]` : along,
      yLabel: [complex ? partTitles[part] : "", complex && part === "phase" ? "[rad]" : p.unit && `[${p.unit}]`].filter(Boolean).join(" "),
      series: columns.map((values, k) => ({ label: family ? `${family} ${k * (data.step[1] ?? 1)}` : p.title || "value", values })),
    };
  }, [got.data, part, along, family, times.data, spacing, complex, p.unit, p.title]);
  const all = leaves(info.value).filter((l) => l.shape.some((n) => n > 1));
  const sliders = sliderAxes(leaf, shown);
  return (
    <Frame
      {...p}
      family={drawn}
      error={got.error}
      controls={
        <>
          {all.length > 1 && (
            <Select title="Array of this value" value={leaf.path} choices={all.map((l) => [l.path, l.path || "value"] as const)} onChange={(path) => change({ path, along: undefined, family: undefined, at: {} })} />
          )}
          {axes.length > 1 && (
            <>
              <Select title="Axis along the curve" value={along} choices={axes.map((a) => [a, `along ${a}`] as const)} onChange={(a) => change({ along: a, family: undefined })} />
              <Select
                title="One curve for each index of"
                value={family ?? ""}
                choices={[["", "one curve"], ...axes.filter((a) => a !== along).map((a) => [a, `each ${a}`] as const)]}
                onChange={(a) => change({ family: a || null })}
              />
            </>
          )}
          {complex && (
            <Select<Part>
              title="Part of the complex number"
              value={part}
              choices={complexParts.filter((c) => c !== "colour").map((c) => [c, partTitles[c]] as const)}
              onChange={(next) => change({ part: next })}
            />
          )}
        </>
      }
      below={
        sliders.length > 0 && (
          <div className="lmv-axes">
            {sliders.map((axis) => (
              <div className="lmv-slider" key={axis}>
                <span className="lmv-axis">{axis}</span>
                <input
                  type="range"
                  aria-label={`Index along ${axis}`}
                  min={0}
                  max={extent(leaf, axis) - 1}
                  value={at[axis] ?? 0}
                  onChange={(e) => change({ at: { ...options.at, [axis]: Number(e.target.value) } })}
                />
                <span className="lmv-count">
                  {at[axis]}
                  <i>/{extent(leaf, axis) - 1}</i>
                </span>
              </div>
            ))}
          </div>
        )
      }
      note={family && extent(leaf, family) > mostSeries ? `the first ${mostSeries} of ${extent(leaf, family)} curves` : ""}
    />
  );
}

function FromRecords(p: Common & { curves: CurveRecord[] }): ReactNode {
  const { client, port, info, curves } = p;
  const got = useLoaded(`${info.hash} ${port} curves`, (signal) =>
    Promise.all(
      curves.slice(0, mostSeries).map(async (c) => ({ c, ...(await curveNumbers(client, port, info.hash, c, signal)) })),
    ),
  );
  const family = useMemo<Family | null>(() => {
    if (!got.data) return null;
    const first = got.data[0]!;
    const same = got.data.every((g) => g.x.length === first.x.length && g.x.every((v, i) => v === first.x[i]));
    const x = same ? first.x : [...new Set(got.data.flatMap((g) => g.x))].sort((a, b) => a - b);
    const series = got.data.map((g) => {
      const unit = g.c.unit && g.c.unit !== first.c.unit ? ` [${g.c.unit}]` : ""; // else the axis says it
      if (same) return { label: g.c.label + unit, values: g.y };
      const found = new Map(g.x.map((v, i) => [v, g.y[i]!]));
      return { label: g.c.label + unit, values: x.map((v) => found.get(v) ?? NaN) };
    });
    return {
      x,
      series,
      xLabel: first.c.xLabel,
      yLabel: [first.c.yLabel ?? "", first.c.unit && `[${first.c.unit}]`].filter(Boolean).join(" "),
    };
  }, [got.data]);
  return <Frame {...p} family={family} error={got.error} controls={null} below={null} note="" />;
}

function Frame(
  p: Common & { family: Family | null; error: unknown; controls: ReactNode; below: ReactNode; note: string },
): ReactNode {
  const { options, change, family, port } = p;
  const plot = useRef<uPlot | null>(null);
  if (p.error) return <Message error={p.error} />;
  const check = (label: string, name: "logX" | "logY" | "points" | "normalised") => (
    <label className="lmv-check">
      <input type="checkbox" checked={options[name] ?? false} onChange={(e) => change({ [name]: e.target.checked })} />
      {label}
    </label>
  );
  const series = family && (options.normalised ? family.series.map((s) => ({ ...s, values: normalised(s.values) })) : family.series);
  return (
    <div className={`lmv lmv-curves${p.plain ? " lmv-plain" : ""}`}>
      {!p.plain && (
        <div className="lmv-toolbar" role="toolbar" aria-label="Curve tools">
          {p.controls}
          <IconButton icon={ChartNoAxesColumn} title="Logarithmic values" on={options.logY ?? false} onClick={() => change({ logY: !options.logY })} />
          <Popover icon={Settings2} title="View">
            {() => (
              <div className="lmv-form">
                {check("Logarithmic values", "logY")}
                {check("Logarithmic axis", "logX")}
                {check("Points", "points")}
                {check("Each by its largest value", "normalised")}
              </div>
            )}
          </Popover>
          <IconButton
            icon={RotateCcw}
            title="All of it (double click); drag to zoom"
            onClick={() => plot.current && plot.current.setData(plot.current.data)}
          />
          <span className="lmv-muted">{p.note}</span>
          <span className="lmv-space" />
          <Popover icon={Download} title="Save">
            {(close) => (
              <div className="lmv-form">
                <MenuItem
                  onClick={() => {
                    if (family) saveText(columnsCsv([family.xLabel, ...family.series.map((s) => s.label)], [family.x, ...family.series.map((s) => s.values)]), fileName(port, "csv"));
                    close();
                  }}
                >
                  CSV, all curves
                </MenuItem>
                <MenuItem
                  onClick={() => {
                    const u = plot.current;
                    if (u && series) {
                      const css = getComputedStyle(u.root);
                      const legend = series
                        .map((s, k) => ({ label: s.label, colour: s.colour ?? lineColours[k % lineColours.length]! }))
                        .filter((_, k) => !options.hidden?.includes(k));
                      const caption = {
                        text: p.title ?? port,
                        ground: css.getPropertyValue("--lm-bg").trim() || "#ffffff",
                        ink: css.getPropertyValue("--lm-fg").trim() || "#1c2128",
                        legend: legend.length > 1 ? legend : [],
                      };
                      void savePng(captioned(u.ctx.canvas, caption), fileName(port, "png"));
                    }
                    close();
                  }}
                >
                  PNG, what is seen
                </MenuItem>
              </div>
            )}
          </Popover>
        </div>
      )}
      <div className="lmv-plot-box">
        {family && series ? (
          <Plot
            x={family.x}
            series={series}
            xLabel={family.xLabel}
            yLabel={options.normalised ? "relative" : family.yLabel}
            logX={options.logX}
            logY={options.logY}
            points={options.points}
            hidden={options.hidden}
            onLegend={(k, on) => change({ hidden: on ? (options.hidden ?? []).filter((h) => h !== k) : [...new Set([...(options.hidden ?? []), k])] })}
            handle={plot}
            sync={p.linked}
            fill
            compact={family.series.length > 24}
          />
        ) : (
          <Waiting />
        )}
      </div>
      {p.below}
    </div>
  );
}

function normalised(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const most = list.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 0);
  return most > 0 ? list.map((v) => v / most) : list;
}
