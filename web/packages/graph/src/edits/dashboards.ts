// SPDX-License-Identifier: Apache-2.0
import { type Dashboard, type DashboardItem, freshId, type GraphDoc } from "../document.ts";
import { put, without } from "../json.ts";

export const dashboardColumns = 12;

function change(g: GraphDoc, name: string, f: (d: Dashboard) => Dashboard): GraphDoc {
  const d = g.dashboards?.[name];
  return d ? { ...g, dashboards: { ...g.dashboards, [name]: f(d) } } : g;
}

export function addDashboard(g: GraphDoc, title: string): { graph: GraphDoc; name: string } {
  const name = freshId(title.toLowerCase() || "main", g.dashboards ?? {});
  return { graph: { ...g, dashboards: { ...g.dashboards, [name]: { title: title || "Dashboard", layout: "free", items: [] } } }, name };
}
export const removeDashboard = (g: GraphDoc, name: string) => put(g, "dashboards", without(g.dashboards ?? {}, name));
export const changeDashboard = (g: GraphDoc, name: string, what: Partial<Dashboard>) => change(g, name, (d) => ({ ...d, ...what }));

/** Rows that the items cover. */
export const dashboardHeight = (items: DashboardItem[]) => items.reduce((h, i) => Math.max(h, (i.y ?? 0) + (i.h ?? 1)), 0);

const overlap = (a: DashboardItem, b: DashboardItem) =>
  (a.x ?? 0) < (b.x ?? 0) + (b.w ?? 1) && (b.x ?? 0) < (a.x ?? 0) + (a.w ?? 1) && (a.y ?? 0) < (b.y ?? 0) + (b.h ?? 1) && (b.y ?? 0) < (a.y ?? 0) + (a.h ?? 1);

/** The first place, row by row, where an item of this size covers no other. */
export function freePlace(items: DashboardItem[], w: number, h: number): { x: number; y: number } {
  for (let y = 0; ; y++) for (let x = 0; x + w <= dashboardColumns; x++) if (!items.some((i) => overlap(i, { kind: "text", x, y, w, h }))) return { x, y };
}

/** Items without overlaps: one stays where it was put, what it covers moves down, and so on. */
export function settle(items: DashboardItem[], fixed: number): DashboardItem[] {
  const out = [...items];
  const todo = [fixed];
  for (let n = 0; todo.length && n < 10000; n++) {
    const at = todo.shift()!, a = out[at]!;
    // From above, so that what moves down pushes only what lies below it.
    const hit = out.map((b, i) => ({ b, i })).filter(({ b, i }) => i !== at && i !== fixed && overlap(a, b)).sort((p, q) => (p.b.y ?? 0) - (q.b.y ?? 0));
    for (const { b, i } of hit) {
      out[i] = { ...b, y: (a.y ?? 0) + (a.h ?? 1) };
      todo.push(i);
    }
    // Pushed onto the fixed one: below it.
    const f = out[fixed]!;
    if (at !== fixed && overlap(out[at]!, f)) {
      out[at] = { ...out[at]!, y: (f.y ?? 0) + (f.h ?? 1) };
      todo.push(at);
    }
  }
  return out;
}

export const itemSize = (kind: DashboardItem["kind"]) => (kind === "viewer" ? { w: 6, h: 6 } : kind === "setting" ? { w: 3, h: 1 } : { w: 4, h: 2 });

export function addItem(g: GraphDoc, name: string, item: DashboardItem): GraphDoc {
  return change(g, name, (d) => {
    const size = itemSize(item.kind);
    const w = item.w ?? size.w, h = item.h ?? size.h;
    const place = item.x === undefined ? freePlace(d.items ?? [], w, h) : { x: Math.min(Math.max(0, item.x), dashboardColumns - w), y: Math.max(0, item.y ?? 0) };
    const items = [...(d.items ?? []), { ...item, w, h, ...place }];
    return { ...d, items: (d.layout ?? "free") === "free" ? settle(items, items.length - 1) : items };
  });
}
export function changeItem(g: GraphDoc, name: string, index: number, what: Partial<DashboardItem>): GraphDoc {
  return change(g, name, (d) => {
    const items = (d.items ?? []).map((item, i) => {
      if (i !== index) return item;
      const next = { ...item, ...what };
      if (next.w !== undefined) next.w = Math.min(Math.max(1, Math.round(next.w)), dashboardColumns);
      if (next.h !== undefined) next.h = Math.max(1, Math.round(next.h));
      if (next.x !== undefined) next.x = Math.min(Math.max(0, Math.round(next.x)), dashboardColumns - (next.w ?? 1));
      if (next.y !== undefined) next.y = Math.max(0, Math.round(next.y));
      return next;
    });
    const moved = ["x", "y", "w", "h"].some((k) => k in what);
    return { ...d, items: moved && items[index] && (d.layout ?? "free") === "free" ? settle(items, index) : items };
  });
}
export const removeDashboardItem = (g: GraphDoc, name: string, index: number) => change(g, name, (d) => ({ ...d, items: (d.items ?? []).filter((_, i) => i !== index) }));
/** For rows and columns, where the order is the layout. */
export function reorderItem(g: GraphDoc, name: string, from: number, to: number): GraphDoc {
  return change(g, name, (d) => {
    const items = [...(d.items ?? [])];
    const [item] = items.splice(from, 1);
    if (item) items.splice(to, 0, item);
    return { ...d, items };
  });
}

/** Dashboards after nodes moved into or out of groups; `path` gives the new path of a node. */
export function remapDashboards(doc: GraphDoc, path: (old: string) => string): GraphDoc {
  if (!doc.dashboards) return doc;
  const item = (i: DashboardItem): DashboardItem => {
    if (i.node !== undefined && path(i.node) !== i.node) return { ...i, node: path(i.node) };
    const dot = i.port?.lastIndexOf(".") ?? -1;
    if (i.port === undefined || dot < 0) return i;
    const node = path(i.port.slice(0, dot));
    return node === i.port.slice(0, dot) ? i : { ...i, port: node + i.port.slice(dot) };
  };
  return { ...doc, dashboards: Object.fromEntries(Object.entries(doc.dashboards).map(([k, d]) => [k, d.items ? { ...d, items: d.items.map(item) } : d])) };
}
