// SPDX-License-Identifier: Apache-2.0
import type { GraphDoc } from "./document.ts";
import { equal } from "./json.ts";
import { apply, type Patch, PatchError } from "./patch.ts";

/** An edit on its way to the server. */
export interface Edit {
  id: number;
  patch: Patch;
  label: string;
  merge?: string;
  state: "waiting" | "sent" | "answered";
}

/**
 * A document that shows edits before the server has confirmed them. What the server said is the truth; edits that are
 * on their way are drawn on top of it, and drop out when they no longer apply.
 */
export class Optimistic {
  private confirmed: GraphDoc;
  private edits: Edit[] = [];
  private next = 1;
  private shown: GraphDoc;

  constructor(doc: GraphDoc) {
    this.confirmed = this.shown = doc;
  }
  get doc(): GraphDoc {
    return this.shown;
  }
  get waiting(): readonly Edit[] {
    return this.edits;
  }

  /** Draws an edit at once. One that waits under the same merge key takes it in. Throws PatchError. */
  add(patch: Patch, label: string, merge?: string): Edit {
    this.shown = apply(this.shown, patch);
    const last = this.edits.at(-1);
    if (last && last.state === "waiting" && merge !== undefined && last.merge === merge) {
      last.patch = squash([...last.patch, ...patch]);
      return last;
    }
    const edit: Edit = { id: this.next++, patch, label, merge, state: "waiting" };
    this.edits.push(edit);
    return edit;
  }
  /** The next edit to send, when none is under way. */
  send(): Edit | undefined {
    if (this.edits.some((e) => e.state === "sent")) return undefined;
    const next = this.edits.find((e) => e.state === "waiting");
    if (next) next.state = "sent";
    return next;
  }
  /** The server has answered that it took the edit; it is confirmed when it comes back in the order of all edits. */
  answered(id: number) {
    const edit = this.edits.find((e) => e.id === id);
    if (edit) edit.state = "answered";
  }
  /** Our own edit came back, as the server wrote it. Edits come back in the order in which they were sent. */
  confirm(patch: Patch): Edit[] {
    const first = this.edits.findIndex((e) => e.state !== "waiting");
    if (first >= 0) this.edits.splice(first, 1);
    return this.remote(patch);
  }
  /** The server has refused an edit of ours; says which others fell with it. */
  refuse(id: number): Edit[] {
    this.edits = this.edits.filter((e) => e.id !== id);
    return this.redraw();
  }
  /** A patch of somebody else, or an undo. Throws PatchError when we have lost the thread and must load again. */
  remote(patch: Patch): Edit[] {
    this.confirmed = apply(this.confirmed, patch);
    return this.redraw();
  }
  /**
   * A fresh document from the server. Edits that it has answered are in it. Of one that was sent and never answered the
   * document tells: what it would still change has not arrived, and is sent again.
   */
  reset(doc: GraphDoc) {
    this.confirmed = doc;
    let now = doc;
    this.edits = this.edits.filter((e) => {
      if (e.state === "answered") return false;
      try {
        const next = apply(now, e.patch);
        if (e.state === "sent" && equal(next, now)) return false;
        now = next;
        e.state = "waiting";
        return true;
      } catch (error) {
        if (!(error instanceof PatchError)) throw error;
        return false;  // it has arrived, or what it changed is gone
      }
    });
    this.shown = now;
  }

  private redraw(): Edit[] {
    const fallen: Edit[] = [];
    let doc = this.confirmed;
    this.edits = this.edits.filter((e) => {
      try {
        doc = apply(doc, e.patch);
        return true;
      } catch (error) {
        if (!(error instanceof PatchError)) throw error;
        fallen.push(e);
        return false;
      }
    });
    this.shown = doc;
    return fallen;
  }
}

/** Of several replacements of the same place, only the last counts: a slider's way to its value is not sent. */
export function squash(patch: Patch): Patch {
  const out: Patch = [];
  for (const op of patch) {
    const last = out.at(-1);
    if (last && op.op === "replace" && (last.op === "replace" || last.op === "add") && last.path === op.path) out[out.length - 1] = { ...last, value: op.value };
    else out.push(op);
  }
  return out;
}
