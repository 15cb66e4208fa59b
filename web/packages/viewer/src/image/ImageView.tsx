// SPDX-License-Identifier: Apache-2.0
import {
  Circle,
  Columns2,
  Contrast,
  Grid3x3,
  MousePointer2,
  Download,
  Pentagon,
  Settings2,
  Slash,
  Square,
  type LucideIcon,
} from "lucide-react";
import { Fragment, lazy, Suspense, useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { isComplex } from "../api/decode.ts";
import { useOptions } from "../hooks/store.ts";
import { useSize } from "../hooks/data.ts";
import { mapNames, type MapName } from "../maths/colour.ts";
import { complexParts, partTitles } from "../maths/parts.ts";
import { short } from "../maths/window.ts";
import type { ArrayLeaf, Part, ViewerProps } from "../types.ts";
import { IconButton, MenuItem, Message, NumberField, Popover, Select, Separator } from "../ui/kit.tsx";
import { captioned, fileName, saveBlob, savePng } from "../ui/save.ts";
import { AxisBar } from "./AxisBar.tsx";
import type { ImageOptions, Tool } from "./options.ts";
import { barWidth } from "./overlay.ts";
import type { ImageSource } from "./source.ts";
import { Stage } from "./Stage.tsx";
import { useImage, type ImageModel, type Pick } from "./useImage.ts";
import { WindowPanel } from "./WindowPanel.tsx";

const Results = lazy(() => import("./Results.tsx"));

const tools: readonly (readonly [Tool, LucideIcon, string])[] = [
  ["point", MousePointer2, "Point: click for a cursor, drag to move (Esc)"],
  ["line", Slash, "Line profile (l)"],
  ["rect", Square, "Rectangle (r)"],
  ["ellipse", Circle, "Ellipse (e)"],
  ["polygon", Pentagon, "Polygon: click the corners, Enter or double click closes (g)"],
];

export interface ImageViewProps extends Pick2 {
  source: ImageSource;
  /** Other arrays of the same value, for the picker. */
  leaves?: ArrayLeaf[];
  caption?: string;
  /** More controls at the start of the toolbar. */
  lead?: ReactNode;
}
type Pick2 = {
  options?: ViewerProps["options"];
  onOptions?: ViewerProps["onOptions"];
  linked?: string;
  ports?: ViewerProps["ports"];
  plain?: boolean;
};

/** The 2D viewer: two axes of an array, drawn by a shader. */
export function ImageView(p: ImageViewProps): ReactNode {
  const [options, change] = useOptions<ImageOptions>(p.options, p.onOptions);
  const stage = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(stage);
  const [hover, setHover] = useState<Pick | null>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const part = options.part ?? "abs";
  const complex = isComplex(p.source.leaf.dtype);
  const bar = options.bar ?? true;
  const strip = bar ? barWidth(complex ? part : "real", { largest: 0, names: p.source.names }, size.width) : 0;
  const box = { width: Math.max(0, size.width - strip), height: size.height };
  const [kept, setKept] = useState(box);
  useEffect(() => setKept((k) => (k.width === box.width && k.height === box.height ? k : { width: box.width, height: box.height })), [box.width, box.height]);
  const model = useImage(p.source, options, change, p.linked, kept, p.ports);
  const onHover = useCallback((pick: Pick | null) => setHover(pick), []);
  const plain = p.plain ?? false;
  const nameB = p.ports?.find((x) => x.port === options.compare?.port)?.title ?? options.compare?.port ?? "";
  const hasResults = useAtRest((options.rois?.length ?? 0) > 0 || Boolean(options.line));
  if (failure) return <Message error={failure} />;

  const at = model.cursorHere && model.cursorFrom !== model.me ? model.pick(0, ...model.cursorHere) : hover;
  return (
    <div className={`lmv lmv-image${plain ? " lmv-plain" : ""}`}>
      {!plain && (
        <div className="lmv-toolbar" role="toolbar" aria-label="Image tools">
          {p.lead}
          {p.leaves && p.leaves.length > 1 && (
            <Select
              title="Array of this value"
              value={p.source.leaf.path}
              choices={p.leaves.map((l) => [l.path, l.path || "value"] as const)}
              onChange={(path) => change({ path, at: {}, axes: undefined, zoom: undefined, rois: [], line: null })}
            />
          )}
          <LookControls model={model} />
          <Separator />
          {tools.map(([tool, icon, title]) => (
            <IconButton key={tool} icon={icon} title={title} on={(options.tool ?? "point") === tool} onClick={() => change({ tool })} />
          ))}
          <Separator />
          <TileControl model={model} />
          {p.ports && p.ports.length > 0 && <CompareControl model={model} ports={p.ports} />}
          <ViewControl model={model} />
          <span className="lmv-space" />
          <SaveMenu model={model} canvas={() => canvas.current} caption={captionOf(model, p.caption)} />
        </div>
      )}
      <div className="lmv-image-body">
        <div className="lmv-image-split">
          <div className="lmv-stage-box" ref={stage}>
            <Stage model={model} canvas={canvas} bar={bar} names={[p.source.title || p.source.port, nameB]} onHover={onHover} onFailure={setFailure} />
          </div>
          {hasResults && !plain && (
            <Suspense fallback={null}>
              <Results model={model} />
            </Suspense>
          )}
        </div>
      </div>
      <AxisBar model={model} plain={plain} />
      {!plain && (
        <div className="lmv-status" aria-live="off">
          {at ? <ReadOut model={model} pick={at} /> : <span className="lmv-muted">{describe(p.source)}</span>}
        </div>
      )}
    </div>
  );
}

/** A value that waits while a button is down: nothing may move under the hand that draws. */
function useAtRest(now: boolean): boolean {
  const [shown, setShown] = useState(now);
  const down = useRef(false);
  useEffect(() => {
    const press = () => void (down.current = true);
    const lift = () => void (down.current = false);
    addEventListener("pointerdown", press, true);
    addEventListener("pointerup", lift, true);
    addEventListener("pointercancel", lift, true);
    return () => {
      removeEventListener("pointerdown", press, true);
      removeEventListener("pointerup", lift, true);
      removeEventListener("pointercancel", lift, true);
    };
  }, []);
  useEffect(() => {
    if (!down.current) return setShown(now);
    const settle = () => setShown(now);
    addEventListener("pointerup", settle);
    addEventListener("pointercancel", settle);
    return () => {
      removeEventListener("pointerup", settle);
      removeEventListener("pointercancel", settle);
    };
  }, [now]);
  return shown;
}

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

const describe = (s: ImageSource): string =>
  `${s.leaf.dtype}  ${s.leaf.axes.map((a, i) => `${a} ${s.leaf.shape[i]}`).join("  ")}${s.unit ? `  [${s.unit}]` : ""}`;

function captionOf(model: ImageModel, title?: string): string {
  const at = Object.entries(model.at).map(([a, i]) => `${a} ${i}`);
  const head = title ?? (model.source.title || model.source.port);
  const { lo, hi } = model.look.window;
  const what = model.complex ? [partTitles[model.part]] : [];
  return [head, ...what, ...at, `window ${short(lo)} … ${short(hi)}${model.unit ? ` ${model.unit}` : ""}`].join("  ·  ");
}

function LookControls({ model }: { model: ImageModel }): ReactNode {
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

function TileControl({ model }: { model: ImageModel }): ReactNode {
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

function CompareControl({ model, ports }: { model: ImageModel; ports: NonNullable<ViewerProps["ports"]> }): ReactNode {
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

function ViewControl({ model }: { model: ImageModel }): ReactNode {
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

function SaveMenu({ model, canvas, caption }: { model: ImageModel; canvas: () => HTMLCanvasElement | null; caption: string }): ReactNode {
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

function ReadOut({ model, pick }: { model: ImageModel; pick: Pick }): ReactNode {
  const { source, complex, unit } = model;
  const { times } = source;
  const number = (re: number, im: number) => {
    if (!complex) return source.names?.[re] ? `${re} ${source.names[re]}` : short(re, 6);
    if (Number.isNaN(re) || Number.isNaN(im)) return "NaN";
    const angle = (Math.atan2(im, re) * 180) / Math.PI;
    return `${short(re)} ${im < 0 ? "−" : "+"} ${short(Math.abs(im))}i   |${short(Math.hypot(re, im))}|  ∠${angle.toFixed(1).replace("-", "−")}°`;
  };
  return (
    <>
      <b>
        {number(pick.re, pick.im)}
        {unit && !Number.isNaN(pick.re) ? ` ${unit}` : ""}
      </b>
      {pick.b && <b className="lmv-b">B {number(...pick.b)}</b>}
      <span>
        {source.leaf.axes
          .filter((a) => pick.index[a] !== undefined)
          .map((a) => `${a} ${pick.index[a]}`)
          .join("  ")}
      </span>
      {pick.mm && <span>{pick.mm.map((v) => v.toFixed(1).replace("-", "−")).join(", ")} mm</span>}
      {times && pick.index["t"] !== undefined && times[pick.index["t"]!] !== undefined && <span>{short(times[pick.index["t"]!]!)} s</span>}
    </>
  );
}

