// SPDX-License-Identifier: Apache-2.0
// Groups and the graphs inside a graph.
import { changeAt, findDefinition, group, isShipped, levelAt, makeUnique, remapDashboards, ungroup } from "@larmor/graph";
import { portTypes } from "../canvas/model.ts";
import { messages } from "../errors.ts";
import { openDialog, tell } from "../state/app.ts";
import type { Session } from "../state/session.ts";
import { catalogue, count } from "./canvas.ts";

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
