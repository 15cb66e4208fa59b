// SPDX-License-Identifier: Apache-2.0

/** Keys of every command; "Mod" is Ctrl, or Command on a Mac. The first is shown in menus. */
export const keysOf: Record<string, string[]> = {
  "quick-add": ["Tab", "Insert"],
  "add-file": ["Mod+Shift+O"],
  commands: ["Mod+K"],
  find: ["Mod+F"],
  undo: ["Mod+Z"],
  redo: ["Mod+Shift+Z", "Mod+Y"],
  copy: ["Mod+C"],
  cut: ["Mod+X"],
  paste: ["Mod+V"],
  "paste-upstream": ["Mod+Shift+V"],
  duplicate: ["Mod+D"],
  delete: ["Delete", "Backspace"],
  dissolve: ["Mod+Delete", "Mod+Backspace"],
  "select-all": ["Mod+A"],
  "select-upstream": ["["],
  "select-downstream": ["]"],
  escape: ["Escape"],
  enter: ["Enter"],
  leave: ["Mod+ArrowUp"],
  rename: ["F2"],
  group: ["Mod+G"],
  ungroup: ["Mod+Shift+G"],
  bypass: ["B"],
  freeze: ["Z"],
  fold: ["H"],
  comment: ["C"],
  frame: ["F"],
  layout: ["L"],
  "align-left": ["Alt+ArrowLeft"],
  "align-right": ["Alt+ArrowRight"],
  "align-top": ["Alt+ArrowUp"],
  "align-bottom": ["Alt+ArrowDown"],
  left: ["ArrowLeft"],
  right: ["ArrowRight"],
  up: ["ArrowUp"],
  down: ["ArrowDown"],
  fit: ["1"],
  "zoom-one": ["0"],
  "zoom-in": ["+", "="],
  "zoom-out": ["-"],
  probe: ["P"],
  run: ["Mod+Enter"],
  "run-to": ["Shift+Enter"],
  "run-force": ["Mod+Shift+Enter"],
  cancel: ["Mod+."],
  auto: ["A"],
  save: ["Mod+S"],
  "save-as": ["Mod+Shift+S"],
  open: ["Mod+O"],
  "next-tab": ["Alt+PageDown"],
  "previous-tab": ["Alt+PageUp"],
  palette: ["Mod+B"],
  inspector: ["Mod+I"],
  dock: ["Mod+J"],
  "canvas-page": ["Alt+1"],
  "dashboard-page": ["Alt+2"],
  theme: ["Alt+T"],
  shortcuts: ["?"],
};

const mac = typeof navigator !== "undefined" && /mac/i.test(navigator.platform ?? "");
const names: Record<string, string> = { Mod: mac ? "⌘" : "Ctrl", Shift: mac ? "⇧" : "Shift", Alt: mac ? "⌥" : "Alt", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Delete: "Del", Escape: "Esc", Enter: "↵" };
export const showKeys = (keys: string) => keys.split(/\+(?!$)/).map((k) => names[k] ?? k).join(mac ? "" : "+");
export const shortcut = (id: string): string | undefined => (keysOf[id]?.[0] ? showKeys(keysOf[id][0]) : undefined);

/** "Mod+Shift+Z" of a key event. */
export function keyName(e: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">): string {
  const key = e.key.length === 1 ? e.key.toUpperCase() : e.key;
  const letter = /^[A-Z]$/.test(key) || e.key.length > 1;
  return [(mac ? e.metaKey : e.ctrlKey) && "Mod", e.altKey && "Alt", e.shiftKey && letter && "Shift", key].filter(Boolean).join("+");
}
const byKey = new Map(Object.entries(keysOf).flatMap(([id, all]) => all.map((k) => [k, id] as const)));
export const commandOfKey = (name: string) => byKey.get(name);
