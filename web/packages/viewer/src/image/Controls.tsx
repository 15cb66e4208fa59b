// SPDX-License-Identifier: Apache-2.0
import { Columns2, Contrast, Download, Grid3x3, Settings2 } from "lucide-react";
import { Fragment, useState, type ReactNode } from "react";
import { mapNames, type MapName } from "../maths/colour.ts";
import { complexParts, partTitles } from "../maths/parts.ts";
import type { Part, ViewerProps } from "../types.ts";
import { MenuItem, Message, NumberField, Popover, Select } from "../ui/kit.tsx";
import { captioned, fileName, saveBlob, savePng } from "../ui/save.ts";
import type { ImageModel } from "./useImage.ts";
import { WindowPanel } from "./WindowPanel.tsx";

const keys = [
  ["↑ ↓, wheel", "slice"],
  ["← →", "second slider"],
  ["space", "play"],
  ["Ctrl wheel, + −", "zoom"],
  ["right drag, Shift drag", "window and level"],
  ["a", "window of this slice"],
  ["l r e g", "line, rectangle, ellipse, polygon"],
  ["Delete, Esc", "last region away, pointer"],
] as const;

export function LookControls({ model }: { model: ImageModel }): ReactNode {
  const { options, change, part } = model;
  const maps = mapNames.filter((m) => m !== "labels" || !model.complex);
  return (
    <>
      {model.complex && (
        <Select<Part>
          title="Part of the complex number"
          value={part}
          choices={complexParts.map((c) => [c, partTitles[c]] as const)}
          onChange={(next) => change({ part: next })}
        />
      )}
      {!(model.complex && part === "colour") && (
        <Select<MapName>
          title="Colour map"
          value={model.map}
          choices={maps.map((m) => [m, m] as const)}
          onChange={(map) => change({ maps: { ...options.maps, [part]: map } })}
        />
      )}
      <Popover icon={Contrast} title="Window: floor, ceiling, gamma, histogram">
        {() => <WindowPanel model={model} />}
      </Popover>
    </>
  );
}

export function TileControl({ model }: { model: ImageModel }): ReactNode {
  const { sliders, options, change } = model;
  if (sliders.length === 0) return null;
  const tile = options.tile;
  return (
    <Popover icon={Grid3x3} title="Tiles: all slices side by side" on={model.tileAxis !== null}>
      {() => (
        <div className="lmv-form">
          <Select
            title="Axis of the tiles"
            value={model.tileAxis ?? ""}
            choices={[["", "one slice"], ...sliders.map((a) => [a, `tiles along ${a}`] as const)]}
            onChange={(axis) => change({ tile: axis ? { axis } : null, zoom: undefined })}
          />
          {tile && model.tileAxis && (
            <>
              <NumberField label="from" value={tile.from ?? 0} lower={0} onChange={(v) => change({ tile: { ...tile, from: Math.round(v) } })} />
              <NumberField
                label="to"
                value={(tile.to ?? model.source.leaf.shape[model.source.leaf.axes.indexOf(tile.axis)]!) - 1}
                lower={0}
                onChange={(v) => change({ tile: { ...tile, to: Math.round(v) + 1 } })}
              />
              <NumberField label="every" value={tile.every ?? 1} lower={1} onChange={(v) => change({ tile: { ...tile, every: Math.round(v) } })} />
            </>
          )}
        </div>
      )}
    </Popover>
  );
}

export function CompareControl({ model, ports }: { model: ImageModel; ports: NonNullable<ViewerProps["ports"]> }): ReactNode {
  const { options, change } = model;
  const c = options.compare;
  return (
    <Popover icon={Columns2} title="Compare with another port: wipe, difference, overlay" on={Boolean(c)}>
      {() => (
        <div className="lmv-form">
          <Select
            title="Second port"
            value={c?.port ?? ""}
            choices={[["", "no second port"], ...ports.filter((x) => x.port !== model.source.port).map((x) => [x.port, x.title] as const)]}
            onChange={(port) => change({ compare: port ? { mode: "wipe", ...c, port } : null })}
          />
          {c && (
            <>
              <Select
                title="How"
                value={c.mode}
                choices={[
                  ["wipe", "A | B wipe"],
                  ["difference", "A − B difference"],
                  ["overlay", "B over A"],
                ]}
                onChange={(mode) => change({ compare: { ...c, mode, window: undefined } })}
              />
              {c.mode === "overlay" && (
                <label className="lmv-field lmv-wide">
                  <span>Opacity</span>
                  <input
                    type="range"
                    min={0}
                    max={1}
                    step={0.05}
                    value={c.opacity ?? 0.6}
                    onChange={(e) => change({ compare: { ...c, opacity: Number(e.target.value) } })}
                  />
                </label>
              )}
              {c.mode !== "wipe" && model.lookB && (
                <>
                  <Select<MapName>
                    title="Colour map of B"
                    value={model.lookB.map}
                    choices={mapNames.map((m) => [m, m] as const)}
                    onChange={(map) => change({ compare: { ...c, map } })}
                  />
                  <div className="lmv-row">
                    <NumberField label="Floor" value={model.lookB.window.lo} onChange={(lo) => change({ compare: { ...c, window: { ...model.lookB!.window, lo } } })} />
                    <NumberField label="Ceiling" value={model.lookB.window.hi} onChange={(hi) => change({ compare: { ...c, window: { ...model.lookB!.window, hi } } })} />
                  </div>
                </>
              )}
            </>
          )}
        </div>
      )}
    </Popover>
  );
}

export function ViewControl({ model }: { model: ImageModel }): ReactNode {
  const { options, change } = model;
  const check = (label: string, on: boolean, set: (on: boolean) => void) => (
    <label className="lmv-check">
      <input type="checkbox" checked={on} onChange={(e) => set(e.target.checked)} />
      {label}
    </label>
  );
  return (
    <Popover icon={Settings2} title="View: interpolation, aspect, orientation">
      {() => (
        <div className="lmv-form">
          <Select
            title="Shape of a pixel"
            value={options.aspect ?? "geometry"}
            choices={[
              ["geometry", "pixels as in space"],
              ["square", "square pixels"],
              ["fill", "fill the frame"],
            ]}
            onChange={(aspect) => change({ aspect, zoom: undefined })}
          />
          {check("Interpolate", options.smooth ?? false, (smooth) => change({ smooth }))}
          {check("Mirror left and right", options.flip?.h ?? false, (h) => change({ flip: { ...options.flip, h } }))}
          {check("Mirror top and bottom", options.flip?.v ?? false, (v) => change({ flip: { ...options.flip, v } }))}
          {check("Colour bar", options.bar ?? true, (bar) => change({ bar }))}
          <MenuItem onClick={() => change({ zoom: undefined })}>Fit (0)</MenuItem>
          <dl className="lmv-keys">
            {keys.map(([name, what]) => (
              <Fragment key={name}>
                <dt>{name}</dt>
                <dd>{what}</dd>
              </Fragment>
            ))}
          </dl>
        </div>
      )}
    </Popover>
  );
}

export function SaveMenu({ model, canvas, caption }: { model: ImageModel; canvas: () => HTMLCanvasElement | null; caption: string }): ReactNode {
  const { source } = model;
  const [error, setError] = useState<unknown>(null);
  return (
    <Popover icon={Download} title="Save">
      {(close) => (
        <div className="lmv-form">
          <MenuItem
            onClick={() => {
              const c = canvas();
              if (c) void savePng(captioned(c, { text: caption }), fileName(source.port, "png")).catch(setError);
              close();
            }}
          >
            PNG, what is seen
          </MenuItem>
          {source.geometry?.affine && <MenuItem onClick={() => void import("../volume/save.ts").then((m) => m.saveNifti(source)).then(close, setError)}>NIfTI, the whole image</MenuItem>}
          <MenuItem
            onClick={() =>
              void source.client
                .download(source.port, "npy", source.leaf.path)
                .then((blob) => saveBlob(blob, fileName(source.port, "npy")))
                .then(close, setError)
            }
          >
            npy, the whole array
          </MenuItem>
          {error !== null && <Message error={error} />}
        </div>
      )}
    </Popover>
  );
}
