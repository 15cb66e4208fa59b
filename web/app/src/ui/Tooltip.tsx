// SPDX-License-Identifier: Apache-2.0
import { type ReactNode } from "react";
import { createPortal } from "react-dom";
import { create } from "zustand";
import { usePlaced } from "./Menu.tsx";

interface Shown {
  x: number;
  y: number;
  content: ReactNode;
}
const useTooltip = create<{ shown: Shown | null }>(() => ({ shown: null }));
let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows something beside a point after a moment (or at once). One for the whole page. */
export function showTooltip(x: number, y: number, content: ReactNode, after = 350) {
  clearTimeout(timer);
  timer = setTimeout(() => useTooltip.setState({ shown: { x, y, content } }), after);
}
export function hideTooltip() {
  clearTimeout(timer);
  if (useTooltip.getState().shown) useTooltip.setState({ shown: null });
}

function Box({ shown }: { shown: Shown }) {
  const { ref, style } = usePlaced(shown.x, shown.y);
  return (
    <div className="tooltip" role="tooltip" ref={ref} style={style} data-testid="tooltip">
      {shown.content}
    </div>
  );
}
export function Tooltips() {
  const shown = useTooltip((s) => s.shown);
  return shown && createPortal(<Box shown={shown} />, document.body);
}
