// SPDX-License-Identifier: Apache-2.0
import { ChartSpline, Download, Trash2, X } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { textOf } from "../errors.ts";
import { Plot } from "../curves/Plot.tsx";
import { columnsCsv, csv } from "../maths/csv.ts";
import { profile } from "../maths/profile.ts";
import { area } from "../maths/roi.ts";
import { short } from "../maths/window.ts";
import { IconButton } from "../ui/kit.tsx";
import { fileName, saveText } from "../ui/save.ts";
import { roiColours } from "./overlay.ts";
import { RegionCurves } from "./RegionCurves.tsx";
import { planeOf } from "./slice.ts";
import type { ImageModel } from "./useImage.ts";
import { useRegions } from "./useRegions.ts";

/** What the drawn regions and the line say about the slice that is shown. */
export default function Results({ model }: { model: ImageModel }): ReactNode {
  const { options, change, slicesA, part, mm, unit } = model;
  const plane = useMemo(() => (slicesA?.[0] ? planeOf(slicesA[0], part) : null), [slicesA, part]);
  const rois = useMemo(() => options.rois ?? [], [options.rois]);
  const { found, error } = useRegions(model, rois);
  const line = options.line;
  const [sx, sy] = mm ?? [1, 1];
  const curve = useMemo(() => (plane && line ? profile(plane, line, [sx, sy]) : null), [plane, line, sx, sy]);
  const lengthUnit = mm ? "mm" : "pixel";
  const along = model.cine.axis;
  const squared = mm ? "mm²" : "pixel²";
  const rows = rois.map((roi, k) => ({ roi, s: found[k], outline: area(roi) * sx * sy }));
  return (
    <div className="lmv-results">
      {rows.length > 0 && (
        <div className="lmv-rois">
          <table>
            <thead>
              <tr>
                <th aria-label="Region" />
                <th>mean</th>
                <th>sd</th>
                <th>median</th>
                <th>min</th>
                <th>max</th>
                <th>n</th>
                <th>{squared}</th>
                <th className="lmv-actions">
                  {along && (
                    <IconButton
                      icon={ChartSpline}
                      title={`Means along ${along}`}
                      on={options.roiCurve === along}
                      onClick={() => change({ roiCurve: options.roiCurve === along ? null : along })}
                    />
                  )}
                  <IconButton
                    icon={Download}
                    title="Save the table as CSV"
                    onClick={() =>
                      saveText(
                        csv(
                          ["region", "shape", "mean", "sd", "median", "min", "max", "count", "pixels", `outline area [${squared}]`, "unit"],
                          rows.map(({ roi, s, outline }, k) => [k + 1, roi.kind, s?.mean, s?.sd, s?.median, s?.min, s?.max, s?.count, s?.elements, outline, unit]),
                        ),
                        fileName(`${model.source.port}-regions`, "csv"),
                      )
                    }
                  />
                  <IconButton icon={Trash2} title="Remove all regions" onClick={() => change({ rois: [] })} />
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ s, outline }, k) => (
                <tr key={k}>
                  <th style={{ color: roiColours[k % roiColours.length] }}>{k + 1}</th>
                  {[s?.mean, s?.sd, s?.median, s?.min, s?.max].map((v, n) => <td key={n}>{v === undefined ? "…" : short(v ?? NaN)}</td>)}
                  <td>{s?.count}</td>
                  <td>{short(outline)}</td>
                  <td className="lmv-actions">
                    <IconButton icon={X} title={`Remove region ${k + 1}`} onClick={() => change({ rois: rois.filter((_, n) => n !== k) })} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {error !== null && <div className="lmv-muted" role="alert">{textOf(error)}</div>}
      {rows.length > 0 && options.roiCurve && model.sliders.includes(options.roiCurve) && (
        <RegionCurves model={model} axis={options.roiCurve} />
      )}
      {curve && (
        <div className="lmv-profile">
          <Plot
            x={curve.distance}
            series={[{ label: unit || "value", values: curve.values, colour: "#e0a800" }]}
            xLabel={lengthUnit}
            height={140}
            compact
          />
          <div className="lmv-profile-tools">
            <IconButton
              icon={Download}
              title="Save the profile as CSV"
              onClick={() =>
                saveText(
                  columnsCsv([`distance [${lengthUnit}]`, `value${unit ? ` [${unit}]` : ""}`], [curve.distance, curve.values]),
                  fileName(`${model.source.port}-profile`, "csv"),
                )
              }
            />
            <IconButton icon={X} title="Remove the line" onClick={() => change({ line: null })} />
          </div>
        </div>
      )}
    </div>
  );
}
