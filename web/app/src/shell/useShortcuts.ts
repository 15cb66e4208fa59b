// SPDX-License-Identifier: Apache-2.0
import { useEffect } from "react";
import { activeSession, useApp } from "../state/app.ts";
import { command } from "./commands.ts";
import { commandOfKey, keyName } from "./keys.ts";

const everywhere = new Set(["save", "open", "undo", "redo", "commands", "find", "run", "save-as", "shortcuts"]);

/** Keys of the whole page. Fields keep theirs; open dialogs keep all. */
export function useShortcuts() {
  useEffect(() => {
    const down = (e: KeyboardEvent) => {
      if (e.defaultPrevented || useApp.getState().dialog) return;
      const target = e.target as HTMLElement | null;
      const field = !!target?.closest?.("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
      const id = commandOfKey(keyName(e));
      if (!id) return;
      if (field && (!everywhere.has(id) || id === "undo" || id === "redo" || id === "shortcuts")) return;
      // Tab walks through a panel; on the canvas it adds.
      if (e.key === "Tab" && target && target !== document.body && !target.closest(".canvas")) return;
      if (e.key === "Enter" && !e.ctrlKey && !e.metaKey && !e.shiftKey && target?.closest("button, a")) return;
      const session = activeSession();
      if (!session) return;
      if (target?.closest(".viewer-keys") && !e.ctrlKey && !e.metaKey) return;
      if (session.state.page.kind === "dashboard" && ["delete", "cut", "paste", "duplicate", "group", "quick-add"].includes(id)) return;
      if (command(id)?.run(session) !== true) e.preventDefault();
    };
    addEventListener("keydown", down);
    return () => removeEventListener("keydown", down);
  }, []);
}
