// SPDX-License-Identifier: Apache-2.0
import { type CSSProperties, type PointerEvent, useState } from "react";

/** A line that a hand drags; `onMove` gets the way of the pointer since the drag began. */
export function Splitter({ axis, style, onStart, onMove }: { axis: "x" | "y"; style: CSSProperties; onStart: () => number; onMove: (value: number) => void }) {
  const [held, setHeld] = useState<{ from: number; value: number } | null>(null);
  const at = (e: PointerEvent) => (axis === "x" ? e.clientX : e.clientY);
  return (
    <div
      className={`splitter ${axis}${held ? " held" : ""}`}
      style={style}
      role="separator"
      aria-orientation={axis === "x" ? "vertical" : "horizontal"}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        setHeld({ from: at(e), value: onStart() });
      }}
      onPointerMove={(e) => held && onMove(held.value + at(e) - held.from)}
      onPointerUp={() => setHeld(null)}
    />
  );
}
