// SPDX-License-Identifier: Apache-2.0
import { Circle, MousePointer2, Pentagon, Slash, Square, type LucideIcon } from "lucide-react";
import { lazy, Suspense, useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { isComplex } from "../api/decode.ts";
import { useSize } from "../hooks/data.ts";
import { useAtRest } from "../hooks/rest.ts";
import { useOptions } from "../hooks/store.ts";
import { partTitles } from "../maths/parts.ts";
import { short } from "../maths/window.ts";
import type { ArrayLeaf, ViewerProps } from "../types.ts";
import { IconButton, Message, Select, Separator } from "../ui/kit.tsx";
import { AxisBar } from "./AxisBar.tsx";
import { CompareControl, LookControls, SaveMenu, TileControl, ViewControl } from "./Controls.tsx";
import type { ImageOptions, Tool } from "./options.ts";
import { barWidth } from "./overlay.ts";
import type { ImageSource } from "./source.ts";
import { Stage } from "./Stage.tsx";
import { useImage, type ImageModel, type Pick } from "./useImage.ts";

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

  // Read anew where the pointer was last: another slice, frame or second image comes under it without a movement.
  const under = hover && (model.pick(hover.tile, hover.index[model.shown[0]] ?? 0, hover.index[model.shown[1]] ?? 0) ?? hover);
  const at = model.cursorHere && model.cursorFrom !== model.me ? model.pick(0, ...model.cursorHere) : under;
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

const describe = (s: ImageSource): string =>
  `${s.leaf.dtype}  ${s.leaf.axes.map((a, i) => `${a} ${s.leaf.shape[i]}`).join("  ")}${s.unit ? `  [${s.unit}]` : ""}`;

function captionOf(model: ImageModel, title?: string): string {
  const at = Object.entries(model.at).map(([a, i]) => `${a} ${i}`);
  const head = title ?? (model.source.title || model.source.port);
  const { lo, hi } = model.look.window;
  const what = model.complex ? [partTitles[model.part]] : [];
  return [head, ...what, ...at, `window ${short(lo)} … ${short(hi)}${model.unit ? ` ${model.unit}` : ""}`].join("  ·  ");
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

