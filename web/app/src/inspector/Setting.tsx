// SPDX-License-Identifier: Apache-2.0
import { equal, type Json, type NodeDoc, type SettingInfo } from "@larmor/graph";
import { ArrowUpToLine, Ellipsis, LayoutDashboard, ListOrdered, Plug, RotateCcw } from "lucide-react";
import * as actions from "../actions.ts";
import { useSession } from "../state/hooks.ts";
import { type Entries, MenuButton } from "../ui/Menu.tsx";
import { Control, SweepControl } from "./Control.tsx";

const first = (s: SettingInfo, value: Json): Json[] => (s.kind === "choice" && s.choices?.length ? s.choices : typeof value === "number" ? [value, value === 0 ? 1 : value * 2] : [value]);

/** One setting of a node on the canvas: name, entry, and what else can be done with it. */
export function Setting({ id, doc, setting }: { id: string; doc: NodeDoc; setting: SettingInfo }) {
  const session = useSession();
  const { name } = setting;
  const value: Json = doc.settings?.[name] ?? setting.default ?? null;
  const changed = doc.settings?.[name] !== undefined && !equal(doc.settings[name], setting.default);
  const sweep = doc.sweeps?.[name];
  const port = doc.ports?.includes(name) ?? false;
  const wired = session.level.graph.wires?.[`${id}.${name}`];
  const change = (v: Json, gesture?: string) => actions.changeSetting(session, id, name, equal(v, setting.default) ? undefined : v, gesture);
  const path = session.pathOf(id);
  const entries = (): Entries => [
    { title: "Reset to default", icon: RotateCcw, disabled: !changed, run: () => actions.changeSetting(session, id, name, undefined), testid: `reset-${name}` },
    "line",
    { title: port ? "Make it a setting again" : "Make it a port", icon: Plug, run: () => actions.changePort(session, id, name, !port), testid: `to-port-${name}` },
    { title: sweep ? "End the sweep" : "Sweep over values", icon: ListOrdered, run: () => actions.changeSweep(session, id, name, sweep ? undefined : first(setting, value)), testid: `sweep-${name}` },
    { title: "Show on the outside of the graph", icon: ArrowUpToLine, run: () => actions.promoteSetting(session, id, name), testid: `promote-${name}` },
    "line",
    ...actions.dashboardEntries(session, { kind: "setting", node: path, setting: name }).map((e) => ("run" in e ? { ...e, icon: LayoutDashboard } : e)),
  ];
  const inline = setting.kind === "boolean" && !sweep && !port;
  return (
    <div className="setting" data-setting={name}>
      <div className="setting-head">
        <span className={"setting-name ellipsis" + (changed ? " changed" : "")} title={setting.what}>{name}</span>
        <span className="setting-menu">
          <MenuButton className="button icon small" entries={entries} title="More" testid={`more-${name}`}>
            <Ellipsis size={15} />
          </MenuButton>
        </span>
        {inline && <Control setting={setting} value={value} onChange={change} />}
      </div>
      {setting.what && setting.what !== name && <div className="setting-what">{setting.what}</div>}
      {port && wired ? (
        <div className="setting-port"><Plug size={13} /> from <span className="mono ellipsis">{wired}</span></div>
      ) : sweep ? (
        <SweepControl setting={setting} values={sweep} onChange={(v) => actions.changeSweep(session, id, name, v)} onEnd={() => actions.changeSweep(session, id, name, undefined)} />
      ) : (
        !inline && <Control setting={setting} value={value} onChange={change} />
      )}
    </div>
  );
}
