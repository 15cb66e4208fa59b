// SPDX-License-Identifier: Apache-2.0
import { useEffect, useMemo, useState } from "react";
import type { Statistics, StatisticsQuery } from "../api/client.ts";
import { isAbort } from "../errors.ts";
import { shapeText, type Roi } from "../maths/roi.ts";
import type { ImageModel } from "./useImage.ts";

const pause = 90; // [ms] a hand moves a corner many times a second

/** What the server is asked about a region of the slice that is shown: the whole of it, not what was sent to be drawn. */
export function regionQuery(model: Pick<ImageModel, "source" | "shown" | "ats" | "statisticsPart">, roi: Roi): StatisticsQuery {
  const { source, shown, ats, statisticsPart } = model;
  const at = Object.fromEntries(Object.entries(ats[0] ?? {}).filter(([axis]) => !shown.includes(axis)));
  return { path: source.leaf.path, axes: shown, at, shape: shapeText(roi), part: statisticsPart, bins: 1 };
}

/** Statistics of regions, measured by the server. What was measured last stays until the new is there. */
export function useRegions(model: ImageModel, rois: readonly Roi[]): { found: (Statistics | undefined)[]; error: unknown } {
  const { client, port, hash } = model.source;
  const key = JSON.stringify([hash, ...rois.map((roi) => regionQuery(model, roi))]);
  const queries = useMemo(() => (JSON.parse(key) as [string, ...StatisticsQuery[]]).slice(1) as StatisticsQuery[], [key]);
  const [state, setState] = useState<{ found: (Statistics | undefined)[]; error: unknown }>({ found: [], error: null });
  useEffect(() => {
    if (!queries.length) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      Promise.all(queries.map((q) => client.statistics(port, hash, q, abort.signal))).then(
        (found) => !abort.signal.aborted && setState({ found, error: null }),
        (error: unknown) => !abort.signal.aborted && !isAbort(error) && setState((s) => ({ ...s, error })),
      );
    }, pause);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, port, hash, queries]);
  return state;
}
