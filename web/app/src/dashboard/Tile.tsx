// SPDX-License-Identifier: Apache-2.0
import { changeAt, changeItem, type DashboardItem, equal, levelAt, nodeView, removeDashboardItem, setSetting } from "@larmor/graph";
import { Pencil, X } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { useCatalogue, useGraph, useSession } from "../state/hooks.ts";
import { Control } from "../inspector/Control.tsx";
import { useForm } from "../inspector/useForm.ts";
import { Markdown } from "../ui/Markdown.tsx";
import { ValueView } from "../viewer/ValueView.tsx";

interface TileProps {
  dashboard: string;
  index: number;
  item: DashboardItem;
  editing: boolean;
  readOnly: boolean;
}

/** One thing on a dashboard. */
export function Tile(props: TileProps): ReactNode {
  switch (props.item.kind) {
    case "setting":
      return <SettingTile {...props} />;
    case "viewer":
      return <ViewerTile {...props} />;
    default:
      return <TextTile {...props} />;
  }
}

const Remove = ({ dashboard, index }: TileProps) => {
  const session = useSession();
  return (
    <button className="button icon small" title="Take off the dashboard" onPointerDown={(e) => e.stopPropagation()} onClick={() => session.editDocument("remove from dashboard", (d) => removeDashboardItem(d, dashboard, index))} data-testid={`remove-${index}`}>
      <X size={13} />
    </button>
  );
};

function SettingTile(props: TileProps) {
  const { item, editing, readOnly } = props;
  const session = useSession();
  const catalogue = useCatalogue();
  const doc = useGraph((s) => s.doc);
  const keys = (item.node ?? "").split("/");
  const id = keys.at(-1)!;
  const level = useMemo(() => levelAt(doc, (item.node ?? "").split("/").slice(0, -1), catalogue.pipelines), [doc, item.node, catalogue]);
  const node = level.path.length === keys.length - 1 ? level.graph.nodes?.[id] : undefined;
  const view = useMemo(() => (node ? nodeView(level, id, catalogue) : null), [level, id, node, catalogue]);
  return (
    <>
      {editing && <div className="tile-tools"><Remove {...props} /></div>}
      <div className="tile-body">
        {node && view ? <SettingEntry id={id} path={item.node!} name={item.setting ?? ""} view={view} node={node} disabled={readOnly} onChange={(v, merge) => session.editDocument(`set ${item.setting}`, (d) => changeAt(d, level, (g) => setSetting(g, id, item.setting!, v)), merge && `${item.node}.${item.setting}.${merge}`)} /> : <span className="tile-gone">{item.node}.{item.setting} is not in the graph any more</span>}
      </div>
    </>
  );
}
function SettingEntry({ path, name, view, node, disabled, onChange }: { id: string; path: string; name: string; view: NonNullable<ReturnType<typeof nodeView>>; node: import("@larmor/graph").NodeDoc; disabled: boolean; onChange: (v: import("@larmor/graph").Json | undefined, merge?: string) => void }) {
  const form = useForm(path, view, node);
  const s = form.settings.find((x) => x.name === name);
  if (!s) return <span className="tile-gone">{path}.{name} is not in the graph any more</span>;
  return (
    <>
      <span className="tile-label" title={s.what}>{name}<div className="muted ellipsis" style={{ fontSize: 11, fontWeight: 400 }}>{view.title}</div></span>
      <span className="tile-control"><Control setting={s} value={node.settings?.[name] ?? s.default ?? null} disabled={disabled} onChange={(v, merge) => onChange(equal(v, s.default) ? undefined : v, merge)} /></span>
    </>
  );
}

function ViewerTile(props: TileProps) {
  const { item, dashboard, index, editing, readOnly } = props;
  const session = useSession();
  const port = item.port ?? "";
  // Readers turn and zoom for themselves; what an editor sets belongs to the dashboard.
  const [own, setOwn] = useState<Record<string, unknown> | null>(null);
  return (
    <>
      <div className="tile-head">
        <span className="ellipsis">{port}</span>
        <span className="spacer" />
        {editing && <Remove {...props} />}
      </div>
      <div className="tile-body viewer-keys">
        <ValueView port={port} viewer={item.viewer} linked={session.id + dashboard} plain={!editing} options={own ?? item.options} onOptions={(o) => (readOnly || !editing ? setOwn(o) : session.editDocument("viewer options", (d) => changeItem(d, dashboard, index, { options: o as never }), `dash-${index}`))} />
      </div>
    </>
  );
}

function TextTile(props: TileProps) {
  const { item, dashboard, index, editing } = props;
  const session = useSession();
  const [writing, setWriting] = useState(false);
  const text = item.markdown ?? item.text ?? "";
  return (
    <>
      {editing && (
        <div className="tile-tools">
          <button className="button icon small" title="Edit" onPointerDown={(e) => e.stopPropagation()} onClick={() => setWriting(!writing)}><Pencil size={13} /></button>
          <Remove {...props} />
        </div>
      )}
      <div className="tile-body" onDoubleClick={() => editing && setWriting(true)}>
        {writing ? (
          <textarea className="tile-text" autoFocus defaultValue={text} onPointerDown={(e) => e.stopPropagation()} onBlur={(e) => { setWriting(false); if (e.target.value !== text) session.editDocument("edit text", (d) => changeItem(d, dashboard, index, { markdown: e.target.value, text: undefined })); }} />
        ) : (
          <Markdown text={text} />
        )}
      </div>
    </>
  );
}
