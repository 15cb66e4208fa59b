// SPDX-License-Identifier: Apache-2.0
import type { NodeDoc, NodeView, SettingInfo } from "@larmor/graph";
import { useEffect, useState } from "react";
import { useApi, useGraph, useReport, useSession } from "../state/hooks.ts";

export interface NodeForm {
  settings: SettingInfo[];
  hidden: string[];
  warnings: string[];
}

/**
 * The form of a node: the description from the catalogue at once, then as the operation adapts it to the data that is
 * there. Asked for again when settings or inputs change, not while a slider still moves.
 */
export function useForm(path: string, view: NodeView, doc: NodeDoc): NodeForm {
  const api = useApi();
  const session = useSession();
  const [form, setForm] = useState<{ path: string; form: NodeForm } | null>(null);
  const rev = useGraph((s) => s.rev);
  const state = useReport(path)?.state;
  const settled = state === "running" || state === "waiting" ? "busy" : state;
  useEffect(() => {
    if (view.kind === "broken") return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api
        .json<Partial<NodeForm>>(`/api/graphs/${session.id}/form?node=${encodeURIComponent(path)}`, { signal: abort.signal })
        .then((f) => setForm({ path, form: { settings: f.settings ?? [], hidden: f.hidden ?? [], warnings: f.warnings ?? [] } }))
        .catch(() => undefined);  // the description from the catalogue stays; what is wrong with the node is told elsewhere
    }, 120);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [api, session, path, rev, settled, view.kind]);
  const base = view.settings;
  if (form?.path !== path) return { settings: base, hidden: [], warnings: [] };
  // Values come from the document, which is ahead of the server while somebody types; descriptions from the form.
  const adapted = new Map(form.form.settings.map((s) => [s.name, s]));
  return { ...form.form, settings: base.map((s) => ({ ...s, ...adapted.get(s.name), default: s.default, value: doc.settings?.[s.name] ?? s.default })) };
}
