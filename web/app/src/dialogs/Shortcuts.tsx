// SPDX-License-Identifier: Apache-2.0
import { commands } from "../shell/commands.ts";
import { keysOf, showKeys } from "../shell/keys.ts";
import { Dialog } from "../ui/Dialog.tsx";

const hands: [string, string][] = [
  ["Drag on the void", "Move the canvas"],
  ["Shift + drag", "Choose a region"],
  ["Wheel", "Zoom"],
  ["Drag a port", "Wire; into the void: what fits"],
  ["Click a port or wire", "Look at its value"],
  ["Drop a node on a wire", "Insert it"],
  ["Double click a group", "Open it"],
  ["Double click the void", "Add operation"],
  ["Drag the end of a wire", "Rewire; into the void: cut"],
];

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const sections = [...new Set(commands.map((c) => c.section))];
  return (
    <Dialog title="Keyboard and mouse" onClose={onClose} width={760} testid="shortcuts" reading>
      <div className="shortcut-columns">
        {sections.map((s) => (
          <div className="shortcut-section" key={s}>
            <h3 className="section-title">{s}</h3>
            {commands.filter((c) => c.section === s && keysOf[c.id]).map((c) => (
              <div className="shortcut" key={c.id}>
                <span>{c.title}</span>
                <span>{keysOf[c.id]!.slice(0, 2).map((k) => <kbd key={k}>{showKeys(k)}</kbd>)}</span>
              </div>
            ))}
          </div>
        ))}
        <div className="shortcut-section">
          <h3 className="section-title">Mouse</h3>
          {hands.map(([what, does]) => (
            <div className="shortcut" key={what}>
              <span>{does}</span>
              <span className="muted">{what}</span>
            </div>
          ))}
        </div>
      </div>
    </Dialog>
  );
}
