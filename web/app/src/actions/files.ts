// SPDX-License-Identifier: Apache-2.0
// Files of the server become nodes and settings.
import { addNode, connect, geometry, type GraphDoc, nodeView, setSetting, setTitle, splitPort } from "@larmor/graph";
import { rectOf } from "../canvas/model.ts";
import { messages } from "../errors.ts";
import { openDialog, tell } from "../state/app.ts";
import type { Session } from "../state/session.ts";
import { catalogue, theCanvas } from "./canvas.ts";
import { add } from "./nodes.ts";

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
      const [x, y] = theCanvas()?.place() ?? [0, 0];
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
        const others = (theCanvas()?.nodes() ?? []).filter((n) => n.type === "op").map(rectOf);
        const added = addNode(g, { op: reader.op.id }, geometry.freePlace({ x: x - 260, y, w: 190, h: 200 }, others), { [reader.setting]: path });
        made = added.id;
        added.graph = setTitle(added.graph, added.id, name);  // several readers are told apart
        const { [name]: _, ...rest } = added.graph.inputs ?? {};
        return to.reduce<GraphDoc>((graph, port) => connect(graph, `${added.id}.${out.name}`, port), { ...added.graph, inputs: Object.keys(rest).length ? rest : undefined });
      });
      if (!made) return;
      session.select({ nodes: [made] });
      theCanvas()?.seen(made);
    },
  });
}
