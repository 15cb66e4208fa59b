// SPDX-License-Identifier: Apache-2.0
import { useMemo, type ReactNode } from "react";
import { mapRgb } from "../maths/colour.ts";
import { short } from "../maths/window.ts";
import type { Scale } from "./items.ts";

/** What the colours of a scene stand for. */
export function ScaleBar({ scale }: { scale: Scale }): ReactNode {
  const { map, lo, hi, title, unit } = scale;
  const ground = useMemo(() => {
    const stops = Array.from({ length: 17 }, (_, k) => `rgb(${mapRgb(map, k / 16).map((v) => Math.round(255 * v)).join(",")})`);
    return `linear-gradient(90deg, ${stops.join(",")})`;
  }, [map]);
  return (
    <div className="lmv-scale">
      <span>{[title, unit && `[${unit}]`].filter(Boolean).join(" ")}</span>
      <i style={{ background: ground }} />
      <span>
        <b>{short(lo, 3)}</b>
        <b>{short(hi, 3)}</b>
      </span>
    </div>
  );
}
