// SPDX-License-Identifier: Apache-2.0
import { Handle, type NodeProps, Position } from "@xyflow/react";
import { memo } from "react";
import { useCatalogue } from "../state/hooks.ts";
import { useHold } from "./hold.ts";
import { type EndsNodeType, freeEnd } from "./model.ts";

/** The ports of the graph itself, as its inside sees them; the last place makes a new one. */
export const EndsNode = memo(function EndsNode({ data }: NodeProps<EndsNodeType>) {
  const catalogue = useCatalogue();
  const held = useHold((s) => s.held);
  const incoming = data.side === "in";
  const row = (name: string, type: string, i: number, label: string, what?: string) => (
    <div key={name} className={`port ${incoming ? "out" : "in"}${held && held.side === (incoming ? "in" : "out") ? " swell" : ""}`} style={{ top: 30 + i * 24 + 1, ["--type" as string]: name === freeEnd ? "var(--faint)" : catalogue.colour(type) }} title={[label, what].filter(Boolean).join(": ")} data-testid={`end-${data.side}-${name}`}>
      <Handle type={incoming ? "source" : "target"} position={incoming ? Position.Right : Position.Left} id={name} />
      <span className={"port-name ellipsis" + (name === freeEnd ? " muted" : "")}>{label}</span>
    </div>
  );
  return (
    <div className="ends">
      <div className="ends-title">{incoming ? "Inputs" : "Outputs"}</div>
      {data.ends.map((e, i) => row(e.name, e.type, i, e.name, e.what))}
      {row(freeEnd, "any", data.ends.length, incoming ? "new input" : "new output")}
    </div>
  );
});
