// SPDX-License-Identifier: Apache-2.0
import { type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import { useCatalogue } from "../state/hooks.ts";
import { useHold } from "./hold.ts";
import type { WireType } from "./model.ts";

/** A wire in the colour of what it carries. */
export const Wire = memo(function Wire({ id, sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, data, selected }: EdgeProps<WireType>) {
  const catalogue = useCatalogue();
  const under = useHold((s) => s.wire === id);
  const [path] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition, curvature: 0.32 });
  return (
    <>
      <path className={`wire${selected ? " selected" : ""}${under ? " under" : ""}`} d={path} style={{ stroke: catalogue.colour(data?.type ?? "any") }} />
      <path className="react-flow__edge-interaction wire-touch" d={path} data-wire={id} data-testid={`wire-${id}`} />
    </>
  );
});
