// SPDX-License-Identifier: Apache-2.0
import "./dialogs.css";
import { useState } from "react";
import { closeTab, type Dialog as Asked, openDialog, openGraph, useApp } from "../state/app.ts";
import { useSession } from "../state/hooks.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { CommandList, FindNode } from "./Find.tsx";
import { FileDialog } from "./FileDialog.tsx";
import { Source } from "./Source.tsx";
import { Shortcuts } from "./Shortcuts.tsx";

const close = () => openDialog(null);

export function Dialogs() {
  const dialog = useApp((s) => s.dialog);
  const session = useSession();
  switch (dialog?.kind) {
    case "open":
      return <FileDialog title="Open a graph" endings={["json"]} graphs onClose={close} onDone={(path) => void openGraph({ path })} />;
    case "save": {
      const { path, doc } = session.state;
      return <FileDialog title="Save the graph" save endings={["json"]} start={path || `${(doc.title || "graph").toLowerCase().replace(/[^a-z0-9]+/g, "_")}.json`} onClose={close} onDone={(p) => void session.save(p)} />;
    }
    case "file":
      return <FileDialog title={dialog.title} save={dialog.save} folder={dialog.folder} endings={dialog.endings} start={dialog.start} onClose={close} onDone={dialog.done} />;
    case "shortcuts":
      return <Shortcuts onClose={close} />;
    case "find":
      return <FindNode onClose={close} />;
    case "commands":
      return <CommandList onClose={close} />;
    case "ask":
      return <Ask {...dialog} />;
    case "source":
      return <Source op={dialog.op} at={dialog.at} onClose={close} />;
    case "close":
      return <AskClose id={dialog.id} />;
    default:
      return null;
  }
}

function Ask({ title, label, value, done }: Extract<Asked, { kind: "ask" }>) {
  const [text, setText] = useState(value);
  const go = () => {
    close();
    done(text.trim());
  };
  return (
    <Dialog title={title} width={380} onClose={close} testid="ask" footer={<><button className="button" onClick={close}>Cancel</button><button className="button primary" onClick={go} data-testid="ask-ok">OK</button></>}>
      <label style={{ display: "grid", gap: 6 }}>
        <span className="muted">{label}</span>
        <input className="field" value={text} onFocus={(e) => e.target.select()} onChange={(e) => setText(e.target.value)} onKeyDown={(e) => e.key === "Enter" && go()} data-testid="ask-field" />
      </label>
    </Dialog>
  );
}

function AskClose({ id }: { id: string }) {
  const tab = useApp((s) => s.tabs.find((t) => t.id === id));
  if (!tab) return null;
  const { path, doc } = tab.session.state;
  const name = path.split("/").pop() || doc.title || "Untitled";
  return (
    <Dialog
      title="Close without saving?"
      width={420}
      onClose={close}
      footer={
        <>
          <button className="button danger" onClick={() => { close(); void closeTab(id, true); }} data-testid="close-discard">Discard</button>
          <span className="spacer" />
          <button className="button" onClick={close}>Cancel</button>
          <button className="button primary" onClick={() => { if (!path) return openDialog({ kind: "save" }); close(); void tab.session.save().then((ok) => void (ok && closeTab(id, true))); }}>Save</button>
        </>
      }
    >
      “{name}” has changes that are not in {path ? "its" : "a"} file.
    </Dialog>
  );
}
