// SPDX-License-Identifier: Apache-2.0
import { format, type NodeReport, type PortInfo, type PortReport } from "@larmor/graph";
import { Fragment } from "react";
import { type PortFacts, usePortFacts } from "./usePortFacts.ts";

const when = (r: PortReport | undefined) => (!r?.hash ? "none yet" : r.unchanged ? "unchanged" : "new");

/** What there is to know of a port, or of what a wire carries. */
export function PortTip({ title, port, type, colour, value, node, refusal, where }: { title: string; where?: PortFacts; port?: PortInfo; type: string; colour: string; value?: PortReport; node?: NodeReport; refusal?: string }) {
  const facts = usePortFacts(where, value?.hash);
  const shape = value?.shape ?? facts?.shape, min = value?.min ?? facts?.min, max = value?.max ?? facts?.max, unit = value?.unit || facts?.unit || "";
  const rows: [string, string | null | undefined][] = [
    ["Value", value?.describe ? format.about(value.describe) : null],
    ["Shape", shape ? format.shape(shape, value?.axes ?? facts?.axes) : null],
    ["Range", typeof min === "number" ? `${format.number(min)} … ${format.number(max ?? NaN)}${unit ? " " + unit : ""}` : null],
    ["Unit", unit && typeof min !== "number" ? unit : null],
    ["Size", value?.bytes ? format.bytes(value.bytes) + (value.resident === false ? ", on disk" : "") : null],
    ["State", value || node ? when(value) : null],
    ["Last run", node?.seconds ? format.seconds(node.seconds) : null],
    ["Mean ± sd", node?.runs && node.runs > 1 && node.mean_seconds ? `${format.seconds(node.mean_seconds)} ± ${format.seconds(node.sd_seconds ?? 0)} over ${node.runs} runs` : null],
    ["Needs axes", port?.axes?.length ? port.axes.join(", ") : null],
    ["Needs", port?.dtypes?.length ? port.dtypes.join(", ") : null],
  ];
  return (
    <div className="port-tip">
      <div className="port-tip-head">
        <span className="port-dot" style={{ background: colour }} />
        <strong>{title}</strong>
        <span className="muted">{type}</span>
      </div>
      {refusal && <div className="port-tip-refusal">{refusal}</div>}
      {port?.what && <div className="muted">{port.what}</div>}
      <dl>
        {rows.map(([k, v]) => v && (
          <Fragment key={k}>
            <dt>{k}</dt>
            <dd>{v}</dd>
          </Fragment>
        ))}
      </dl>
    </div>
  );
}
