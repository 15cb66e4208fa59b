// SPDX-License-Identifier: Apache-2.0
// Copies, within a graph and across tabs.
import { type Clip, clipCorner, copy, parseClip, paste, type Point, type Selection } from "@larmor/graph";
import { messages } from "../errors.ts";
import { tell } from "../state/app.ts";
import type { Session } from "../state/session.ts";
import { some, theCanvas } from "./canvas.ts";
import { remove } from "./nodes.ts";

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
  put(session, clip, theCanvas()?.place() ?? [0, 0], upstream, "paste");
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
