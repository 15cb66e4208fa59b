// SPDX-License-Identifier: Apache-2.0
import { ArrowLeftRight, Pause, Play } from "lucide-react";
import type { ReactNode } from "react";
import { extent } from "../maths/axes.ts";
import { short } from "../maths/window.ts";
import { IconButton, NumberField, Select } from "../ui/kit.tsx";
import type { ImageModel } from "./useImage.ts";

/** Which axes are shown, where on the others, and cine. */
export function AxisBar({ model, plain }: { model: ImageModel; plain: boolean }): ReactNode {
  const { source, shown, hands, at, cine, tileAxis } = model;
  const { leaf, times } = source;
  if (plain && hands.length === 0) return null;
  const choices = leaf.axes.map((a, i) => [a, `${a} ${leaf.shape[i]}`] as const);
  return (
    <div className="lmv-axes">
      {!plain && (
        <div className="lmv-group">
          <Select title="Axis to the right" value={shown[0]} choices={choices} onChange={(a) => model.setShown(0, a)} />
          <IconButton icon={ArrowLeftRight} title="Exchange the axes" onClick={() => model.setShown(0, shown[1])} />
          <Select title="Axis downwards" value={shown[1]} choices={choices} onChange={(a) => model.setShown(1, a)} />
        </div>
      )}
      {hands.map((axis) => {
        const n = extent(leaf, axis);
        const time = axis === "t" && times && times.length === n ? ` ${short(times[at[axis] ?? 0]!)} s` : "";
        const isCine = cine.axis === axis && !tileAxis;
        return (
          <div className="lmv-slider" key={axis}>
            {!tileAxis && (
              <IconButton
                icon={isCine && cine.playing ? Pause : Play}
                title={isCine && cine.playing ? "Stop (space)" : `Play along ${axis} (space)`}
                on={isCine && cine.playing}
                onClick={() => {
                  if (isCine && cine.playing) return cine.stop();
                  if (!isCine) {
                    cine.stop();
                    model.change({ cine: { ...model.options.cine, axis } });
                  }
                  cine.play();
                }}
              />
            )}
            <span className="lmv-axis">{axis}</span>
            <input
              type="range"
              aria-label={`Index along ${axis}`}
              min={0}
              max={n - 1}
              step={1}
              value={at[axis] ?? 0}
              onChange={(e) => {
                if (cine.playing) cine.stop();
                model.setAt({ [axis]: Number(e.target.value) });
              }}
            />
            <span className="lmv-count">
              {at[axis]}
              <i>/{n - 1}</i>
              {time}
            </span>
            {isCine && cine.playing && (
              <NumberField
                label="fps"
                title={`Frames a second (now ${cine.rate.toFixed(0)})`}
                value={cine.fps}
                lower={0.5}
                upper={120}
                onChange={(fps) => model.change({ cine: { ...model.options.cine, fps } })}
              />
            )}
          </div>
        );
      })}
    </div>
  );
}
