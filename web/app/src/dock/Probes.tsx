// SPDX-License-Identifier: Apache-2.0
import { Crosshair, LayoutDashboard, Link2, Link2Off, Pin, PinOff, X } from "lucide-react";
import { useMemo } from "react";
import * as actions from "../actions.ts";
import type { Probe } from "../state/session.ts";
import { atRound, format, historyZone } from "@larmor/graph";
import { useCatalogue, useGraph, usePortReport, useReports, useSession } from "../state/hooks.ts";
import { MenuButton } from "../ui/Menu.tsx";
import { ValueView } from "../viewer/ValueView.tsx";
import { Rounds } from "./Rounds.tsx";

/** Viewers of the ports that were clicked. The last stays until another takes its place; pinned ones stay. */
export function Probes() {
  const probes = useGraph((s) => s.probes);
  if (!probes.length) {
    return (
      <div className="empty" data-testid="no-probe">
        <Crosshair size={20} />
        <span>Click a port or a wire to look at its value</span>
      </div>
    );
  }
  return (
    <div className="probes">
      {probes.map((p) => <ProbeTile key={p.key} probe={p} />)}
    </div>
  );
}

const titleOf: Record<string, string> = { image: "Image", volume: "Volume", curves: "Curves", scene: "3D scene", trajectory: "Trajectory", table: "Table", text: "Text", picture: "Picture", number: "Number", maps: "Maps", report: "Report" };

function ProbeTile({ probe }: { probe: Probe }) {
  const session = useSession();
  const catalogue = useCatalogue();
  const report = usePortReport(probe.port);
  const viewers = report ? catalogue.viewers(report.type) : [];
  const linked = probe.options.linked !== false;
  const ports = useComparable();
  const zone = useGraph((s) => historyZone(s.doc, probe.port, catalogue.pipelines));
  const round = zone === null ? null : (probe.round ?? null);
  return (
    <div className="probe" data-testid={`probe-tile-${probe.port}`}>
      <div className="probe-head">
        {report && <span className="port-dot" style={{ background: catalogue.colour(report.type) }} />}
        <button className="probe-name ellipsis" title="Show the node" onClick={() => actions.reveal(session, probe.port.slice(0, probe.port.lastIndexOf(".")))}>{probe.port}</button>
        <span className="muted ellipsis" style={{ fontSize: 12 }}>{report && format.about(report.describe)}</span>
        <span className="spacer" />
        {viewers.length > 1 && (
          <select className="field" value={probe.viewer ?? viewers[0]} onChange={(e) => session.changeProbe(probe.key, { viewer: e.target.value })} title="Viewer" aria-label={`Viewer of ${probe.port}`} data-testid="probe-viewer">
            {viewers.map((v) => <option key={v} value={v}>{titleOf[v] ?? v}</option>)}
          </select>
        )}
        <button className={"button icon small" + (linked ? " on" : "")} title={linked ? "Cursors go together" : "Cursor by itself"} onClick={() => session.changeProbe(probe.key, { options: { ...probe.options, linked: !linked } })}>
          {linked ? <Link2 size={14} /> : <Link2Off size={14} />}
        </button>
        <MenuButton className="button icon small" title="Add to dashboard" entries={() => actions.dashboardEntries(session, { kind: "viewer", port: probe.port, ...(probe.viewer ? { viewer: probe.viewer } : {}), options: probe.options as never })}><LayoutDashboard size={14} /></MenuButton>
        <button className={"button icon small" + (probe.pinned ? " on" : "")} title={probe.pinned ? "Unpin" : "Pin"} onClick={() => session.changeProbe(probe.key, { pinned: !probe.pinned })} data-testid="probe-pin">
          {probe.pinned ? <PinOff size={14} /> : <Pin size={14} />}
        </button>
        <button className="button icon small" title="Close" onClick={() => session.closeProbe(probe.key)} data-testid="probe-close"><X size={14} /></button>
      </div>
      {zone !== null && <Rounds port={probe.port} zone={zone} round={round} onRound={(r) => session.changeProbe(probe.key, { round: r })} />}
      <div className="probe-body viewer-keys">
        <ValueView port={round === null ? probe.port : atRound(probe.port, zone!, round)} viewer={probe.viewer} options={probe.options} onOptions={(options) => session.changeProbe(probe.key, { options })} linked={linked ? session.id : undefined} ports={ports} />
      </div>
    </div>
  );
}

/** Ports that have a picture now, for comparing and laying over. */
function useComparable() {
  const catalogue = useCatalogue();
  const reports = useReports();
  const version = useSession().reports.version;
  return useMemo(() => {
    const out: { port: string; title: string; hash?: string | null }[] = [];
    for (const [path, r] of reports) for (const [name, o] of Object.entries(r.outputs ?? {})) {
      if (o.hash && catalogue.viewers(o.type)[0] === "image" && out.length < 200) out.push({ port: `${path}.${name}`, title: `${path}.${name}`, hash: o.hash });
    }
    return out;
  }, [reports, version, catalogue]);  // eslint-disable-line react-hooks/exhaustive-deps
}
