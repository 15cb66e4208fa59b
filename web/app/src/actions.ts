// SPDX-License-Identifier: Apache-2.0
// What the canvas, menus and keys do to the graph that is shown.
import {
  addComment, addFrame, addNode, bridge, changeAt, type Clip, clipCorner, connect, copy, disconnect, findDefinition, geometry, isShipped, levelAt, group, insertOnWire, type Json, makeUnique, type Mode, moveItems, nodeView, parseClip, paste, type Point, portsForBridge,
  portsForWire, promote, remapDashboards, removeItems, type Selection, setFolded, setMode, setPort, setSetting, setSweep, splitPort, ungroup, addItem, addDashboard, type DashboardItem,
} from "@larmor/graph";
import { type CanvasNode, itemOf, portTypes, rectOf, thumbnailPort } from "./canvas/model.ts";
import { messages } from "./errors.ts";
import { openDialog, tell, useApp } from "./state/app.ts";
import type { Session } from "./state/session.ts";

/** What the canvas on the page can be asked; set by the canvas while it is there. */
export interface CanvasHandle {
  /** The point of the graph under the pointer, or the middle of what is seen. */
  place(): Point;
  fit(): void;
  focus(ids: string[]): void;
  zoom(factor: number | "one"): void;
  nodes(): CanvasNode[];
  quickAdd(): void;
  /** Brings a node into view that is about to be drawn. */
  seen(id: string): void;
}
let canvas: CanvasHandle | null = null;
export const setCanvas = (handle: CanvasHandle | null) => {
  canvas = handle;
};
export const theCanvas = () => canvas;

const catalogue = () => useApp.getState().catalogue;
const some = (s: Required<Selection>) => s.nodes.length + s.comments.length + s.frames.length > 0;
const count = (n: number, what: string) => (n === 1 ? what : `${n} ${what}s`);

/** The node and port that feed an in-port; null when none does, or the graph itself. */
export function sourceOf(session: Session, node: string, port: string): { path: string; port: string } | null {
  const from = session.level.graph.wires?.[`${node}.${port}`];
  if (!from) return null;
  const [n, p] = splitPort(from);
  return { path: session.pathOf(n), port: p };
}

export interface Attach {
  node: string;
  port: string;
  side: "in" | "out";
  to: string;  // port of the new node
}
/**
 * A node of an operation (or of a graph), joined to the wire that the hand held, or put into a wire. `free`: beside other nodes
 * rather than over them, where no hand said where.
 */
export function add(session: Session, what: { op: string } | { graph: string }, at: Point, more: { attach?: Attach; wire?: string | null; settings?: Record<string, Json>; free?: boolean } = {}): string | null {
  let made: string | null = null;
  const title = "op" in what ? (catalogue().ops.get(what.op)?.title ?? what.op) : (catalogue().graphs.get(what.graph)?.title ?? what.graph);
  session.edit(`add ${title}`, (g, level) => {
    const added = addNode(g, what, at, more.settings);
    made = added.id;
    let out = added.graph;
    const view = () => nodeView({ ...level, graph: out, scopes: [{ pointer: level.pointer, graph: out }, ...level.scopes.slice(1)] }, added.id, catalogue());
    if (more.free) {
      const shape = geometry.nodeShape(view(), false, thumbnailPort(view(), catalogue()) !== null);
      const others = (canvas?.nodes() ?? []).filter((n) => n.type !== "frame").map(rectOf);
      out = moveItems(out, { nodes: { [added.id]: geometry.freePlace({ x: at[0], y: at[1], w: shape.w, h: shape.h }, others) } });
    }
    if (more.attach) {
      const { node, port, side, to } = more.attach;
      const target = view()[side === "out" ? "inputs" : "outputs"].find((p) => p.base === to)?.name ?? to;
      out = side === "out" ? connect(out, `${node}.${port}`, `${added.id}.${target}`) : connect(out, `${added.id}.${target}`, `${node}.${port}`);
    } else if (more.wire) out = putOnWire(session, out, added.id, more.wire) ?? out;
    return out;
  });
  if (made) {
    session.select({ nodes: [made] });
    canvas?.seen(made);
  }
  return made;
}

/** The operation that reads a file, by its ending; the longest that is known counts ("nii.gz" before "gz"). */
function readerOf(path: string) {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const ending = Object.keys(catalogue().extensions).filter((e) => name.endsWith("." + e)).sort((a, b) => b.length - a.length)[0];
  const op = ending === undefined ? undefined : catalogue().ops.get(catalogue().extensions[ending]!);
  const setting = op?.settings.find((s) => s.kind === "file_open");
  if (op && setting) return { op, setting: setting.name };
  tell(messages.noOperation(name), "error");
  return null;
}
/** A file (or folder) of the server for a setting of a node that needs one. */
export function chooseFile(session: Session, node: string, setting: string) {
  const info = nodeView(session.level, node, catalogue()).settings.find((s) => s.name === setting);
  const now = session.level.graph.nodes?.[node]?.settings?.[setting];
  if (!info) return;
  openDialog({
    kind: "file", title: info.what || setting, folder: info.kind === "folder", endings: info.choices, start: typeof now === "string" ? now : "",
    done: (path) => void session.edit(`choose ${setting}`, (g) => setSetting(g, node, setting, path)),
  });
}
/** A node that opens a file of the server. */
export function addFile(session: Session) {
  openDialog({
    kind: "file", title: "Add a file",
    done: (path) => {
      const reader = readerOf(path);
      const [x, y] = canvas?.place() ?? [0, 0];
      if (reader) add(session, { op: reader.op.id }, [x - 90, y - 40], { free: true, settings: { [reader.setting]: path } });
    },
  });
}
/** A file takes the place of an input of the graph: a node that reads it, wired to where the input went. */
export function feedInput(session: Session, name: string) {
  openDialog({
    kind: "file", title: `Read ${name} from a file`,
    done: (path) => {
      const reader = readerOf(path), input = session.level.graph.inputs?.[name];
      if (!reader || !input) return;
      const out = reader.op.outputs.find((p) => catalogue().accepts(input.type, p.type));
      if (!out) return tell(messages.doesNotFit(path.slice(path.lastIndexOf("/") + 1), catalogue().typeTitle(reader.op.outputs[0]?.type ?? "any"), name, catalogue().typeTitle(input.type)), "error");
      let made = "";
      session.edit(`read ${name} from a file`, (g) => {
        const to = g.inputs?.[name]?.to ?? [];
        const [x, y] = g.nodes?.[splitPort(to[0] ?? "")[0]]?.at ?? [0, 0];
        const others = (canvas?.nodes() ?? []).filter((n) => n.type === "op").map(rectOf);
        const added = addNode(g, { op: reader.op.id }, geometry.freePlace({ x: x - 260, y, w: 190, h: 200 }, others), { [reader.setting]: path });
        made = added.id;
        const { [name]: _, ...rest } = added.graph.inputs ?? {};
        return to.reduce<import("@larmor/graph").GraphDoc>((graph, port) => connect(graph, `${added.id}.${out.name}`, port), { ...added.graph, inputs: Object.keys(rest).length ? rest : undefined });
      });
      if (!made) return;
      session.select({ nodes: [made] });
      canvas?.seen(made);
    },
  });
}

/** The graph with a node put into a wire; null when its types do not fit. */
function putOnWire(session: Session, g: import("@larmor/graph").GraphDoc, id: string, to: string) {
  const from = g.wires?.[to];
  if (!from || splitPort(from)[0] === id || splitPort(to)[0] === id) return null;
  const level = { ...session.level, graph: g };
  const scoped = { ...level, scopes: [{ pointer: level.pointer, graph: g }, ...level.scopes.slice(1)] };
  const view = (n: string) => nodeView(scoped, n, catalogue());
  const source = view(splitPort(from)[0]).outputs.find((p) => p.name === splitPort(from)[1])?.type ?? "any";
  const target = view(splitPort(to)[0]).inputs.find((p) => p.name === splitPort(to)[1])?.type ?? "any";
  const ports = portsForWire(catalogue(), g, id, view(id), source, target);
  return ports && insertOnWire(g, to, id, ports.input, ports.output);
}
/** True when a node could stand in a wire: it has no wires of its own yet, and its types fit. */
export function fitsWire(session: Session, id: string, to: string): boolean {
  const g = session.level.graph;
  const touched = Object.entries(g.wires ?? {}).some(([t, f]) => splitPort(t)[0] === id || splitPort(f)[0] === id);
  return !touched && putOnWire(session, g, id, to) !== null;
}
export function insertInto(session: Session, id: string, to: string) {
  session.edit("insert into wire", (g) => putOnWire(session, g, id, to) ?? g);
}

export function remove(session: Session, selection = session.state.selected, wires = session.state.wires) {
  const n = selection.nodes.length;
  const label = n ? `delete ${count(n, "node")}` : wires.length ? `cut ${count(wires.length, "wire")}` : "delete";
  session.edit(label, (g) => removeItems(wires.length ? disconnect(g, ...wires) : g, selection));
}
/** Takes nodes away and joins what they stood between. */
export function removeBridging(session: Session) {
  const { nodes } = session.state.selected;
  if (!nodes.length) return remove(session);
  session.edit(`remove ${count(nodes.length, "node")} from the wire`, (g, level) => {
    let out = g;
    for (const id of nodes) {
      const ports = portsForBridge(catalogue(), out, id, nodeView({ ...level, graph: out }, id, catalogue()));
      out = removeItems(ports ? bridge(out, id, ports.input, ports.output) : out, { nodes: [id] });
    }
    return out;
  });
}

let held: string | null = null;  // for browsers that keep the clipboard from the page
export async function copySelection(session: Session): Promise<boolean> {
  if (!some(session.state.selected)) return false;
  held = JSON.stringify(copy(session.level, session.state.selected), null, 1);
  try {
    await navigator.clipboard.writeText(held);
  } catch {
    tell(messages.clipboardDenied);
  }
  return true;
}
export async function cutSelection(session: Session) {
  if (await copySelection(session)) remove(session, session.state.selected, []);
}
export async function pasteClipboard(session: Session, upstream: boolean) {
  let text: string | null = null;
  try {
    text = await navigator.clipboard.readText();
  } catch {
    text = held;
  }
  pasteText(session, text ?? "", upstream);
}
export function pasteText(session: Session, text: string, upstream: boolean) {
  const clip = parseClip(text) ?? (held ? parseClip(held) : null);
  if (!clip) return tell(messages.noClip);
  put(session, clip, canvas?.place() ?? [0, 0], upstream, "paste");
}
export function duplicate(session: Session) {
  if (!some(session.state.selected)) return;
  const clip = copy(session.level, session.state.selected);
  const [x, y] = clipCorner(clip);
  put(session, clip, [x + 36, y + 36], true, "duplicate");
}
function put(session: Session, clip: Clip, at: Point, upstream: boolean, label: string) {
  let chosen: Required<Selection> | null = null;
  session.edit(label, (_, level) => {
    const pasted = paste(level, clip, at, upstream);
    chosen = pasted.selection;
    return pasted.graph;
  });
  if (chosen) session.select(chosen);
}

export function groupSelection(session: Session) {
  const { selected } = session.state;
  if (!selected.nodes.length) return;
  openDialog({
    kind: "ask", title: "Group", label: "Name", value: "Group",
    done: (title) => {
      let made = "";
      session.editDocument(`group ${count(selected.nodes.length, "node")}`, (doc) => {
        const level = session.level;
        const result = group(level, selected, title, portTypes(level, catalogue()));
        made = result.id;
        const prefix = level.path.map((p) => p + "/").join("");
        const inside = new Set(selected.nodes);
        return remapDashboards(changeAt(doc, level, () => result.graph), (path) => {
          if (!path.startsWith(prefix)) return path;
          const rest = path.slice(prefix.length);
          return inside.has(rest.split("/")[0]!) ? `${prefix}${result.id}/${rest}` : path;
        });
      });
      if (made) session.select({ nodes: [made] });
    },
  });
}
export function ungroupSelection(session: Session) {
  const groups = session.state.selected.nodes.filter((id) => session.level.graph.nodes?.[id]?.graph);
  const chosen: string[] = [];
  for (const id of groups) {
    session.editDocument("ungroup", (doc) => {
      const level = session.level;
      const result = ungroup(level, id);
      chosen.push(...result.ids);
      const prefix = [...level.path, id].join("/") + "/";
      const outer = level.path.map((p) => p + "/").join("");
      return remapDashboards(changeAt(doc, level, () => result.graph), (path) => (path.startsWith(prefix) ? outer + path.slice(prefix.length) : path));
    });
  }
  if (chosen.length) session.select({ nodes: chosen });
}
export const unshare = (session: Session, id: string) => session.edit("make unique", (_, level) => makeUnique(level, id));

/** Where a graph that comes with the program is shown: makes it one of the document, and shows that. */
export function copyShipped(session: Session) {
  const { at, doc } = session.state;
  const { pipelines: library } = catalogue();
  const depth = at.findIndex((_, i) => isShipped(levelAt(doc, at.slice(0, i + 1), library)));
  if (depth < 0) return;
  session.enter(at.slice(0, depth));
  unshare(session, at[depth]!);
  session.enter(at);
}

export function enterNode(session: Session, id: string): boolean {
  const name = session.level.graph.nodes?.[id]?.graph;
  if (!name) return false;
  if (!findDefinition(session.level, name)) tell(messages.cannotEnter, "error");
  else session.enter([...session.state.at, id]);
  return true;
}
export const leaveLevel = (session: Session) => session.enter(session.state.at.slice(0, -1));

function chosenRects(session: Session, all = false): Map<string, geometry.Rect> {
  const { nodes, comments, frames } = session.state.selected;
  const chosen = new Set([...nodes, ...comments.map((c) => "comment:" + c), ...frames.map((f) => "frame:" + f)]);
  return new Map((canvas?.nodes() ?? []).filter((n) => n.type !== "ends" && (all || chosen.has(n.id))).map((n) => [n.id, rectOf(n)]));
}
function moveTo(session: Session, label: string, places: Map<string, Point>) {
  const moves = { nodes: {}, comments: {}, frames: {} } as Record<"nodes" | "comments" | "frames", Record<string, Point>>;
  for (const [id, at] of places) {
    const item = itemOf(id);
    if (item.kind !== "ends") moves[item.kind][item.id] = at;
  }
  session.edit(label, (g) => moveItems(g, moves));
}
export function alignSelection(session: Session, side: geometry.Side) {
  const rects = chosenRects(session);
  if (rects.size > 1) moveTo(session, `align ${side}`, geometry.align(rects, side));
}
export function distributeSelection(session: Session, along: "x" | "y") {
  const rects = chosenRects(session);
  if (rects.size > 2) moveTo(session, "distribute", geometry.distribute(rects, along));
}
export function nudge(session: Session, dx: number, dy: number) {
  const rects = chosenRects(session);
  moveTo(session, "move", new Map([...rects].map(([id, r]) => [id, [r.x + dx, r.y + dy]])));
}
/** Places nodes along their wires: the chosen ones, or all. */
export async function autoLayout(session: Session) {
  const { layout } = await import("@larmor/graph/layout");
  const rects = new Map([...chosenRects(session, true)].filter(([id]) => itemOf(id).kind === "nodes"));
  const { nodes } = session.state.selected;
  session.edit("lay out", (g) => moveItems(g, layout(g, rects, nodes.length > 1 ? new Set(nodes) : undefined)));
  if (nodes.length < 2) setTimeout(() => canvas?.fit(), 30);
}

export function comment(session: Session, at = canvas?.place() ?? [0, 0]) {
  let made = "";
  session.edit("add comment", (g) => {
    const added = addComment(g, at, "");
    made = added.id;
    return added.graph;
  });
  if (made) session.select({ comments: [made] });
}
/** A frame around what is chosen, or an empty one. */
export function frame(session: Session) {
  const box = geometry.bounds(chosenRects(session).values());
  const at = canvas?.place() ?? [0, 0];
  const r = box ? { x: box.x - 24, y: box.y - 44, w: box.w + 48, h: box.h + 68 } : { x: at[0], y: at[1], w: 360, h: 240 };
  let made = "";
  session.edit("add frame", (g) => {
    const added = addFrame(g, [r.x, r.y], [r.w, r.h], "Frame");
    made = added.id;
    return added.graph;
  });
  if (made) session.select({ frames: [made] });
}

export function toggleMode(session: Session, mode: Mode, ids = session.state.selected.nodes) {
  const all = ids.every((id) => session.level.graph.nodes?.[id]?.mode === mode);
  session.edit(all ? `end ${mode}` : mode, (g) => setMode(g, ids, all ? "normal" : mode));
}
export function toggleFolded(session: Session, ids = session.state.selected.nodes) {
  const folded = !ids.every((id) => session.level.graph.nodes?.[id]?.folded);
  session.edit(folded ? "fold" : "unfold", (g) => setFolded(g, ids, folded));
}
export function changeSetting(session: Session, id: string, name: string, value: Json | undefined, merge?: string) {
  session.edit(`set ${name}`, (g) => setSetting(g, id, name, value), merge && `${session.pathOf(id)}.${name}.${merge}`);
}
export const changeSweep = (session: Session, id: string, name: string, values: Json[] | undefined) => session.edit(values ? `sweep ${name}` : `end sweep of ${name}`, (g) => setSweep(g, id, name, values));
export const changePort = (session: Session, id: string, name: string, on: boolean) => session.edit(on ? `make ${name} a port` : `make ${name} a setting`, (g) => setPort(g, id, name, on));
export const promoteSetting = (session: Session, id: string, name: string) => session.edit(`promote ${name}`, (g) => promote(g, id, name).graph);

export function runTo(session: Session, ids = session.state.selected.nodes) {
  if (ids.length) void session.runTo(ids.map((id) => session.pathOf(id)));
}

/** Puts something on a dashboard; on a new one when there is none of that name. */
export function toDashboard(session: Session, name: string | null, item: DashboardItem) {
  let where = name;
  session.editDocument("add to dashboard", (doc) => {
    let out = doc;
    if (where === null || !out.dashboards?.[where]) {
      const made = addDashboard(out, "Overview");
      out = made.graph;
      where = made.name;
    }
    return addItem(out, where, item);
  });
  if (where !== null) tell({ text: `Added to “${session.state.doc.dashboards?.[where]?.title ?? where}”` });
}
export const dashboardEntries = (session: Session, item: DashboardItem) => [
  { heading: "Add to dashboard" },
  ...Object.entries(session.state.doc.dashboards ?? {}).map(([name, d]) => ({ title: d.title || name, run: () => toDashboard(session, name, item) })),
  { title: "New dashboard", run: () => toDashboard(session, null, item) },
];

/** Brings a node of any level into view and chooses it. */
export function reveal(session: Session, path: string) {
  const keys = path.split("/");
  const id = keys.pop()!;
  const move = keys.join("/") !== session.state.at.join("/") || session.state.page.kind !== "canvas";
  if (move) session.enter(keys);
  if (!session.level.graph.nodes?.[id]) return tell(messages.notHere(`Node “${id}”`), "error");
  session.select({ nodes: [id] });
  setTimeout(() => canvas?.focus([id]), move ? 120 : 0);
}
