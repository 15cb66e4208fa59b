// SPDX-License-Identifier: Apache-2.0
import { Download, X } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import type { ArrayQuery } from "../api/client.ts";
import { Plot } from "../curves/Plot.tsx";
import { useArrays } from "../hooks/data.ts";
import { completeIndices, extent } from "../maths/axes.ts";
import { columnsCsv } from "../maths/csv.ts";
import { indexBox, moved, statistics, type Roi } from "../maths/roi.ts";
import { IconButton, Message } from "../ui/kit.tsx";
import { fileName, saveText } from "../ui/save.ts";
import { roiColours } from "./overlay.ts";
import { planeOf, slicesOf } from "./slice.ts";
import type { ImageModel } from "./useImage.ts";

/** Mean of each region along an axis; only the boxes around the regions are fetched. */
export function RegionCurves({ model, axis }: { model: ImageModel; axis: string }): ReactNode {
  const { source, shown, options, part, unit, change } = model;
  const { leaf, client, port, hash, times } = source;
  const rois = useMemo(() => options.rois ?? [], [options.rois]);
  const [width, height] = [extent(leaf, shown[0]), extent(leaf, shown[1])];
  const atText = JSON.stringify(completeIndices(leaf, [...shown, axis], model.at));
  const boxes = useMemo(
    () =>
      rois.flatMap((roi: Roi, k) => {
        const box = indexBox(roi, width, height);
        return box ? [{ k, roi, box }] : [];
      }),
    [rois, width, height],
  );
  const queries = useMemo(
    () =>
      boxes.map(
        ({ box }): ArrayQuery => ({
          path: leaf.path,
          axes: [...shown, axis],
          at: JSON.parse(atText) as Record<string, number>,
          range: { [shown[0]]: box.x, [shown[1]]: box.y },
        }),
      ),
    [boxes, leaf, shown, axis, atText],
  );
  const got = useArrays(client, port, hash, queries);
  const n = extent(leaf, axis);
  const curves = useMemo(() => {
    if (!got.data || got.data.length !== boxes.length) return null;
    return boxes.map(({ k, roi, box }, m) => ({
      label: `region ${k + 1}`,
      colour: roiColours[k % roiColours.length],
      values: slicesOf(got.data![m]!).map((s) => statistics(planeOf(s, part), moved(roi, box.x[0], box.y[0])).mean),
    }));
  }, [got.data, boxes, part]);
  const x = useMemo(() => (axis === "t" && times?.length === n ? times : Array.from({ length: n }, (_, i) => i)), [axis, times, n]);
  const xLabel = axis === "t" && times?.length === n ? "t [s]" : axis;
  if (got.error) return <Message error={got.error} />;
  if (!curves) return null;
  return (
    <div className="lmv-profile">
      <Plot x={x} series={curves} xLabel={xLabel} yLabel={unit && `mean [${unit}]`} height={140} compact />
      <div className="lmv-profile-tools">
        <IconButton
          icon={Download}
          title="Save the curves as CSV"
          onClick={() =>
            saveText(
              columnsCsv([xLabel, ...curves.map((c) => `${c.label}${unit ? ` [${unit}]` : ""}`)], [x, ...curves.map((c) => c.values)]),
              fileName(`${port}-regions-${axis}`, "csv"),
            )
          }
        />
        <IconButton icon={X} title="Remove the curves" onClick={() => change({ roiCurve: null })} />
      </div>
    </div>
  );
}
