// SPDX-License-Identifier: Apache-2.0
import { format } from "@larmor/graph";
import { ChevronRight, CornerLeftUp, File, Folder, HardDrive } from "lucide-react";
import { type MouseEvent, useEffect, useState } from "react";
import { type Message, say } from "../errors.ts";
import { useApi } from "../state/hooks.ts";
import { Dialog } from "../ui/Dialog.tsx";

interface Entry {
  name: string;
  dir: boolean;
  size?: number;
  mtime?: number | string;
}
interface Listing {
  path: string;
  entries: Entry[];
  roots: string[];
}
export interface FileDialogProps {
  title: string;
  save?: boolean;
  folder?: boolean;
  graphs?: boolean;
  endings?: string[];
  start?: string;
  onClose: () => void;
  onDone: (path: string) => void;
}
const joined = (folder: string, name: string) => (folder.endsWith("/") ? folder : folder + "/") + name;
const fits = (name: string, endings?: string[]) => !endings?.length || endings.some((e) => name.toLowerCase().endsWith("." + e.replace(/^\./, "").toLowerCase()));
const date = (m: number | string) => new Date(typeof m === "number" ? m * 1000 : m).toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });

/** Where something was chosen last: what belongs together lies together. */
let lastFolder = "";

/** Folders and files of the server, below the folders that it gives. */
export function FileDialog({ title, save, folder, endings, start = "", onClose, onDone }: FileDialogProps) {
  const api = useApi();
  const slash = start.lastIndexOf("/");
  const [path, setPath] = useState(slash > 0 ? start.slice(0, slash) : lastFolder);
  const [name, setName] = useState(start.slice(slash + 1));
  const [all, setAll] = useState(false);
  const [listing, setListing] = useState<Listing | null>(null);
  const [problem, setProblem] = useState<Message | null>(null);
  const [asking, setAsking] = useState(true);
  useEffect(() => {
    let live = true;
    setAsking(true);
    api
      .json<Listing>(`/api/files?path=${encodeURIComponent(path)}`)
      .then((l) => {
        if (!live) return;
        setListing(l);
        setProblem(null);
        setAsking(false);
      })
      .catch((e: unknown) => {
        if (!live) return;
        // A start that is not there any more: begin at the roots.
        if (path && !listing) return setPath("");
        setProblem(say(e));
        setAsking(false);
      });
    return () => void (live = false);
  }, [api, path]);  // eslint-disable-line react-hooks/exhaustive-deps
  const here = listing?.path ?? path;
  const root = listing?.roots.filter((r) => here === r || here.startsWith(r.endsWith("/") ? r : r + "/")).sort((a, b) => b.length - a.length)[0];
  const inside = root !== undefined ? here.slice(root.length).split("/").filter(Boolean) : here.split("/").filter(Boolean);
  const entries = (listing?.entries ?? []).filter((e) => e.dir || (!folder && (all || fits(e.name, endings)))).sort((a, b) => Number(b.dir) - Number(a.dir) || a.name.localeCompare(b.name, undefined, { numeric: true }));
  const exists = entries.some((e) => !e.dir && e.name === name);
  // Until the folder that was entered has answered, what is seen is the one before: that must not be taken for it.
  const ready = (n: string) => !asking && (folder ? !problem : !!n.trim() && (!problem || n.startsWith("/")));
  const finish = (n = name) => {
    if (!ready(n)) return;
    const ending = save && endings?.length && !fits(n, endings) ? "." + endings[0]!.replace(/^\./, "") : "";
    lastFolder = here;
    onClose();
    onDone(folder ? here : n.startsWith("/") ? n + ending : joined(here, n + ending));
  };
  // Who clicks twice on a folder has entered it at the first: the second meets what lies there now.
  const once = (event: MouseEvent, act: () => void) => event.detail < 2 && act();
  const open = (e: Entry) => {
    if (e.dir) setPath(joined(here, e.name));
    else setName(e.name);
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      testid="file-dialog"
      footer={
        <>
          {!folder && !!endings?.length && <label className="check muted" style={{ marginRight: "auto" }}><input type="checkbox" checked={all} onChange={(e) => setAll(e.target.checked)} /> all files</label>}
          <button className="button" onClick={onClose}>Cancel</button>
          <button className="button primary" disabled={!ready(name)} onClick={() => finish()} data-testid="file-ok">{save ? (exists ? "Replace" : "Save") : folder ? "Choose this folder" : "Open"}</button>
        </>
      }
    >
      <div className="files-path">
        <button className="button small" onClick={() => setPath(root ?? "")} title={root}><HardDrive size={13} /> {root?.split("/").filter(Boolean).at(-1) ?? "Server"}</button>
        {inside.map((part, i) => (
          <span key={i} style={{ display: "inline-flex", alignItems: "center" }}>
            <ChevronRight size={13} />
            <button className="button small" onClick={() => setPath((root ?? "") + "/" + inside.slice(0, i + 1).join("/"))}>{part}</button>
          </span>
        ))}
        {(listing?.roots.length ?? 0) > 1 && (
          <select className="field" style={{ width: "auto", marginLeft: "auto", height: 24 }} value={root ?? ""} onChange={(e) => setPath(e.target.value)} title="Folders that the server gives">
            {listing!.roots.map((r) => <option key={r}>{r}</option>)}
          </select>
        )}
      </div>
      <div className="files">
        {problem && <div className="empty"><strong>{problem.text}</strong><span>{problem.advice}</span></div>}
        {!problem && inside.length > 0 && (
          <button className="file" onClick={(event) => once(event, () => setPath((root ?? "") + (inside.length > 1 ? "/" + inside.slice(0, -1).join("/") : "")))}><CornerLeftUp size={15} /> ..</button>
        )}
        {!problem && entries.map((e) => (
          <button key={e.name} className={"file" + (!e.dir && e.name === name ? " chosen" : "")} onClick={(event) => once(event, () => open(e))} onDoubleClick={() => !e.dir && e.name === name && finish(e.name)} data-testid={`file-${e.name}`}>
            {e.dir ? <Folder size={15} /> : <File size={15} />}
            <span className="ellipsis">{e.name}</span>
            <span className="size">{e.dir ? "" : format.bytes(e.size ?? 0)}</span>
            <span className="date">{e.mtime ? date(e.mtime) : ""}</span>
          </button>
        ))}
        {!problem && listing && !entries.length && <div className="empty">{folder ? "No folders here" : "Nothing here that fits"}</div>}
      </div>
      {!folder && <input className="field" style={{ marginTop: 10 }} value={name} placeholder={save ? "Name" : "Choose a file"} onChange={(e) => setName(e.target.value)} onKeyDown={(e) => e.key === "Enter" && finish()} data-testid="file-name" />}
    </Dialog>
  );
}
