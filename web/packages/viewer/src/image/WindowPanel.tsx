// SPDX-License-Identifier: Apache-2.0
import { useMemo, type ReactNode } from "react";
import { useStatistics } from "../hooks/data.ts";
import { percentiles, short } from "../maths/window.ts";
import { NumberField } from "../ui/kit.tsx";
import { valuesOf } from "./slice.ts";
import type { ImageModel } from "./useImage.ts";

/** Floor, ceiling, gamma, and the histogram of the whole array they are chosen from. */
export function WindowPanel({ model }: { model: ImageModel }): ReactNode {
  const { source, look, part } = model;
  const { lo, hi } = look.window;
  const got = useStatistics(source.client, source.port, source.hash, {
    path: source.leaf.path,
    part: model.statisticsPart,
    bins: 64,
  });
  const s = got.data;
  const local = useMemo(() => {
    const slice = model.slicesA?.[0];
    return slice ? percentiles(valuesOf(slice, part), [0, 50, 100]) : null;
  }, [model.slicesA, part]);
  const scale = part === "phase" ? 180 / Math.PI : 1;
  return (
    <div className="lmv-window">
      {s?.histogram && s.histogram.counts.length > 0 && (
        <Histogram edges={s.histogram.edges} counts={s.histogram.counts} lo={lo} hi={hi} />
      )}
      <div className="lmv-row">
        <NumberField label="Floor" value={lo * scale} onChange={(v) => model.setWindow({ lo: v / scale, hi: Math.max(hi, v / scale) })} />
        <NumberField label="Ceiling" value={hi * scale} onChange={(v) => model.setWindow({ lo: Math.min(lo, v / scale), hi: v / scale })} />
      </div>
      <label className="lmv-field lmv-wide">
        <span>Gamma {short(look.gamma, 2)}</span>
        <input
          type="range"
          min={-1}
          max={1}
          step={0.05}
          value={Math.log2(look.gamma) / 2}
          aria-label="Gamma"
          onChange={(e) => model.change({ gamma: Number((4 ** Number(e.target.value)).toFixed(3)) })}
        />
      </label>
      <div className="lmv-row lmv-buttons">
        <button type="button" onClick={() => model.autoWindowBy("array")} title="Percentiles 1 to 99 of the whole array">
          Auto
        </button>
        <button type="button" onClick={() => model.autoWindowBy("slice")} title="Percentiles 1 to 99 of what is shown, again for each slice (a)">
          Slice
        </button>
        <button
          type="button"
          title="From the smallest to the largest value"
          onClick={() => {
            const range = s ? [s.min, s.max] : local ? [local[0]!, local[2]!] : null;
            if (range && Number.isFinite(range[0]) && Number.isFinite(range[1])) model.setWindow({ lo: range[0]!, hi: range[1]! });
          }}
        >
          Full
        </button>
      </div>
      {s && (
        <table className="lmv-facts">
          <tbody>
            {(
              [
                ["mean ± sd", `${short(s.mean)} ± ${short(s.sd)}`],
                ["median", short(s.median)],
                ["range", `${short(s.min)} … ${short(s.max)}`],
                ["elements", s.count.toLocaleString("en")],
              ] as const
            ).map(([name, text]) => (
              <tr key={name}>
                <th>{name}</th>
                <td>{text}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="lmv-hint">Drag with the right button, or with Shift: across for width, up and down for level.</p>
    </div>
  );
}

function Histogram({ edges, counts, lo, hi }: { edges: number[]; counts: number[]; lo: number; hi: number }): ReactNode {
  const [first, last] = [edges[0]!, edges[edges.length - 1]!];
  const most = Math.max(...counts.map((c) => Math.log1p(c)), 1e-9);
  const x = (v: number) => Math.min(200, Math.max(0, (200 * (v - first)) / (last - first || 1)));
  const w = 200 / counts.length;
  return (
    <svg className="lmv-histogram" viewBox="0 0 200 56" role="img" aria-label="Histogram, logarithmic counts">
      <rect x={x(lo)} y={0} width={Math.max(1, x(hi) - x(lo))} height={56} className="lmv-inside" />
      {counts.map((c, i) => (
        <rect key={i} x={i * w} width={Math.max(0.5, w - 0.5)} y={56 - (54 * Math.log1p(c)) / most} height={(54 * Math.log1p(c)) / most} />
      ))}
      <line x1={x(lo)} x2={x(lo)} y1={0} y2={56} />
      <line x1={x(hi)} x2={x(hi)} y1={0} y2={56} />
    </svg>
  );
}
