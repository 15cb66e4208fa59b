// SPDX-License-Identifier: Apache-2.0
import { Niivue, SHOW_RENDER, SLICE_TYPE, type NVImage } from "@niivue/niivue";
import { Box, Download, LayoutPanelLeft, Layers2, RectangleHorizontal, RectangleVertical, Square } from "lucide-react";
import { useEffect, useId, useMemo, useRef, useState, type ReactNode } from "react";
import { useArrays, useValue } from "../hooks/data.ts";
import { useLink, useOptions } from "../hooks/store.ts";
import { imageSource } from "../image/source.ts";
import { looksLikeLabels } from "../image/options.ts";
import { messages, ViewerError } from "../errors.ts";
import { completeIndices, extent, sliderAxes, type Indices } from "../maths/axes.ts";
import { short, type Window } from "../maths/window.ts";
import { mapSource, mapsOf } from "../maps/source.ts";
import type { ArrayLeaf, ValueInfo } from "../types.ts";
import { IconButton, MenuItem, Message, NumberField, Popover, Select, Separator, Waiting } from "../ui/kit.tsx";
import { captioned, fileName, savePng } from "../ui/save.ts";
import type { InnerProps } from "../viewers.ts";
import { saveNifti } from "./save.ts";
import { volumeFile, volumeQuery, volumeWindow, type VolumeFile } from "./file.ts";

type Look = "planes" | "axial" | "coronal" | "sagittal" | "render";
interface VolumeOptions {
  /** Which of several maps. */
  of?: string;
  look?: Look;
  at?: Indices;
  map?: string;
  window?: Partial<Window>;
  overlay?: { port: string; map?: string; opacity?: number; window?: Partial<Window> } | null;
}

const looks = [
  ["planes", LayoutPanelLeft, "Three planes and 3D", SLICE_TYPE.MULTIPLANAR],
  ["axial", Square, "Axial", SLICE_TYPE.AXIAL],
  ["coronal", RectangleHorizontal, "Coronal", SLICE_TYPE.CORONAL],
  ["sagittal", RectangleVertical, "Sagittal", SLICE_TYPE.SAGITTAL],
  ["render", Box, "3D", SLICE_TYPE.RENDER],
] as const;
const colourMaps = ["gray", "viridis", "inferno", "turbo", "cool", "warm", "red", "blue", "green", "bone", "hot"];
const overlayMaps = ["warm", "viridis", "inferno", "turbo", "cool", "red", "green", "blue", "random"];

/** Image with geometry in three planes and in 3D, by NiiVue. */
export default function VolumeViewer(p: InnerProps): ReactNode {
  const { client, port, info } = p;
  const [options, change] = useOptions<VolumeOptions>(p.options, p.onOptions);
  const maps = useMemo(() => mapsOf(info.value), [info]);
  const source = useMemo(() => sourceOf(client, port, info, options.of), [client, port, info, options.of]);
  const affine = source?.geometry?.affine ?? null;
  const leaf = source?.leaf ?? null;
  const over = useValue(client, options.overlay?.port ?? null, p.ports?.find((x) => x.port === options.overlay?.port)?.hash);
  const overSource = useMemo(
    () => (over.data && options.overlay ? sourceOf(client, options.overlay.port, over.data) : null),
    [over.data, options.overlay, client],
  );
  const overUsable = overSource?.geometry?.affine ? overSource : null;
  const base = useVolume(client, port, info.hash, leaf, affine, options.at);
  const overlay = useVolume(
    client,
    overUsable ? overUsable.port : null,
    over.data?.hash ?? "",
    overUsable?.leaf ?? null,
    overUsable?.geometry?.affine ?? null,
    options.at,
  );
  const canvas = useRef<HTMLCanvasElement>(null);
  const [nv, setNv] = useState<Niivue | null>(null);
  const [where, setWhere] = useState("");
  const [failure, setFailure] = useState<unknown>(null);
  const me = useId();
  const { link, set: setLink } = useLink(p.linked);
  const tell = useRef<(mm: [number, number, number]) => void>(() => {});
  tell.current = (mm) => {
    if (p.linked) {
      setLink({
        cursor: { index: {}, mm, from: me },
        slices: { at: {}, lengths: {}, mm, from: me },
      });
    }
  };

  useEffect(() => {
    const target = canvas.current!;
    const made = new Niivue({
      backColor: [0.043, 0.051, 0.063, 1],
      crosshairColor: [0.3, 0.75, 1, 0.8],
      crosshairWidth: 0.6,
      crosshairWidthUnit: "percent",
      sagittalNoseLeft: true,
      fontColor: [0.9, 0.92, 0.94, 1],
      isColorbar: false,
      show3Dcrosshair: true,
      isRadiologicalConvention: true,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      multiplanarEqualSize: true,
      loadingText: "",
      dragAndDropEnabled: false,
      fontMinPx: 11,
      fontSizeScaling: 0.3,
      logLevel: "error",
    });
    made.onLocationChange = (location: unknown) => {
      const { mm, values } = location as { mm?: ArrayLike<number>; values?: { value: number }[] };
      if (!mm) return;
      const at: [number, number, number] = [mm[0]!, mm[1]!, mm[2]!];
      const numbers = (values ?? []).map((v) => short(v.value, 5)).join("   ");
      setWhere(`${numbers}    ${at.map((v) => v.toFixed(1).replace("-", "−")).join(", ")} mm`);
      tell.current(at);
    };
    let gone = false;
    made.attachToCanvas(target).then(
      () => !gone && setNv(made),
      (e: unknown) => setFailure(e),
    );
    return () => {
      gone = true;
      setNv(null);
      made.cleanup();
      made.gl?.getExtension("WEBGL_lose_context")?.loseContext(); // browsers keep few contexts
    };
  }, []);

  const look = options.look ?? "planes";
  useEffect(() => {
    nv?.setSliceType(looks.find(([name]) => name === look)![3]);
  }, [nv, look]);

  // The files of both volumes; NiiVue is given them anew when either changes.
  useEffect(() => {
    if (!nv || !base.file) return;
    let gone = false;
    const load = async () => {
      const position = nv.volumes.length > 0 ? [...nv.scene.crosshairPos] : null;
      while (nv.volumes.length > 0) nv.removeVolume(nv.volumes[0]!);
      await nv.loadFromArrayBuffer(base.file!.buffer.slice(0), "base.nii");
      if (!gone && overlay.file) await nv.loadFromArrayBuffer(overlay.file.buffer.slice(0), "overlay.nii");
      if (gone) return;
      if (position) nv.scene.crosshairPos = position as typeof nv.scene.crosshairPos;
      setStamp((n) => n + 1);
    };
    load().catch(setFailure);
    return () => {
      gone = true;
    };
  }, [nv, base.file, overlay.file]);
  const [stamp, setStamp] = useState(0);

  const auto = useMemo(() => (base.file ? volumeWindow(base.file) : null), [base.file]);
  const autoOver = useMemo(() => (overlay.file ? volumeWindow(overlay.file) : null), [overlay.file]);
  const isLabels = overUsable ? looksLikeLabels(overUsable.leaf) : false;
  useEffect(() => {
    if (!nv || stamp === 0) return;
    const dress = (v: NVImage | undefined, map: string, opacity: number, w: Window) => {
      if (!v) return;
      v.colormap = map;
      v.opacity = opacity;
      v.cal_min = w.lo;
      v.cal_max = w.hi;
    };
    if (auto) dress(nv.volumes[0], options.map ?? "gray", 1, { ...auto, ...options.window });
    const o = options.overlay;
    if (o && autoOver) {
      const w = isLabels ? { lo: 0.5, hi: Math.max(2, autoOver.hi) } : autoOver;
      dress(nv.volumes[1], o.map ?? (isLabels ? "random" : "warm"), o.opacity ?? 0.5, { ...w, ...o.window });
    }
    nv.updateGLVolume();
  }, [nv, stamp, auto, autoOver, isLabels, options.map, options.window, options.overlay]);

  useEffect(() => {
    const mm = link.slices?.mm;
    if (!nv || stamp === 0 || !mm || link.slices?.from === me) return;
    nv.scene.crosshairPos = nv.mm2frac(mm);
    nv.drawScene();
  }, [nv, stamp, link.slices, me]);

  if (!source || !affine || !leaf) return <Message error={new ViewerError(messages.noArray(info.type))} />;
  const error = base.error ?? overlay.error ?? failure;
  if (error) return <Message error={error} />;
  const sliders = sliderAxes(leaf, leaf.axes.slice(0, 3));
  const at = completeIndices(leaf, leaf.axes.slice(0, 3), options.at);
  const window = auto ? { ...auto, ...options.window } : null;
  const shown = window ? `window ${short(window.lo)} … ${short(window.hi)}${source.unit ? ` ${source.unit}` : ""}` : "";
  const caption = [source.title || p.title || port, shown, options.overlay ? `overlay ${options.overlay.port}` : ""].filter(Boolean).join("  ·  ");
  return (
    <div className={`lmv lmv-volume${p.plain ? " lmv-plain" : ""}`}>
      {!p.plain && (
        <div className="lmv-toolbar" role="toolbar" aria-label="Volume tools">
          {maps && (
            <Select
              title="Map"
              value={options.of ?? maps.entries[0]!.name}
              choices={maps.entries.map((e) => [e.name, e.unit && e.unit !== "1" ? `${e.name} [${e.unit}]` : e.name] as const)}
              onChange={(of) => change({ of, window: undefined })}
            />
          )}
          {looks.map(([name, icon, title]) => (
            <IconButton key={name} icon={icon} title={title} on={look === name} onClick={() => change({ look: name })} />
          ))}
          <Separator />
          <Select title="Colour map" value={options.map ?? "gray"} choices={colourMaps.map((m) => [m, m === "gray" ? "grey" : m] as const)} onChange={(map) => change({ map })} />
          {window && (
            <>
              <NumberField label="Floor" value={window.lo} onChange={(lo) => change({ window: { ...window, lo } })} />
              <NumberField label="Ceiling" value={window.hi} onChange={(hi) => change({ window: { ...window, hi } })} />
            </>
          )}
          {p.ports && p.ports.length > 1 && (
            <Popover icon={Layers2} title="Lay another image over this one" on={Boolean(options.overlay)}>
              {() => (
                <div className="lmv-form">
                  <Select
                    title="Overlay"
                    value={options.overlay?.port ?? ""}
                    choices={[["", "no overlay"], ...p.ports!.filter((x) => x.port !== port).map((x) => [x.port, x.title] as const)]}
                    onChange={(next) => change({ overlay: next ? { port: next } : null })}
                  />
                  {options.overlay && (
                    <>
                      <Select
                        title="Colour map of the overlay"
                        value={options.overlay.map ?? (isLabels ? "random" : "warm")}
                        choices={overlayMaps.map((m) => [m, m] as const)}
                        onChange={(map) => change({ overlay: { ...options.overlay!, map } })}
                      />
                      <label className="lmv-field lmv-wide">
                        <span>Opacity</span>
                        <input
                          type="range"
                          min={0}
                          max={1}
                          step={0.05}
                          value={options.overlay.opacity ?? 0.5}
                          onChange={(e) => change({ overlay: { ...options.overlay!, opacity: Number(e.target.value) } })}
                        />
                      </label>
                      {over.error !== null && <Message error={over.error} />}
                      {over.data && !overUsable && <Message error={new ViewerError(messages.noArray(over.data.type))} />}
                    </>
                  )}
                </div>
              )}
            </Popover>
          )}
          <span className="lmv-space" />
          <Popover icon={Download} title="Save">
            {(close) => (
              <div className="lmv-form">
                <MenuItem
                  onClick={() => {
                    nv?.drawScene(); // the buffer is only there right after a draw
                    if (canvas.current) void savePng(captioned(canvas.current, { text: caption }), fileName(port, "png"));
                    close();
                  }}
                >
                  PNG, what is seen
                </MenuItem>
                <MenuItem onClick={() => void saveNifti(source).then(close, setFailure)}>NIfTI, the whole image</MenuItem>
              </div>
            )}
          </Popover>
        </div>
      )}
      <div className="lmv-canvas-box" tabIndex={-1}>
        <canvas ref={canvas} aria-label={`${p.title ?? port} in three planes`} />
        {!base.file && <Waiting />}
      </div>
      {sliders.length > 0 && (
        <div className="lmv-axes">
          {sliders.map((axis) => (
            <div className="lmv-slider" key={axis}>
              <span className="lmv-axis">{axis}</span>
              <input
                type="range"
                aria-label={`Index along ${axis}`}
                min={0}
                max={extent(leaf, axis) - 1}
                value={at[axis] ?? 0}
                onChange={(e) => change({ at: { ...options.at, [axis]: Number(e.target.value) } })}
              />
              <span className="lmv-count">
                {at[axis]}
                <i>/{extent(leaf, axis) - 1}</i>
              </span>
            </div>
          ))}
        </div>
      )}
      {!p.plain && (
        <div className="lmv-status">
          <span>{where}</span>
          {base.file && base.file.step.some((s) => s > 1) && <span className="lmv-muted">every {base.file.step.join(" x ")} voxel</span>}
        </div>
      )}
    </div>
  );
}

const sourceOf = (client: InnerProps["client"], port: string, info: ValueInfo, of?: string) =>
  mapSource(client, port, info, of) ?? imageSource(client, port, info);

function useVolume(
  client: InnerProps["client"],
  port: string | null,
  hash: string,
  leaf: ArrayLeaf | null,
  affine: number[][] | null,
  kept: Indices | undefined,
): { file: VolumeFile | null; error: unknown } {
  const at = leaf ? JSON.stringify(completeIndices(leaf, leaf.axes.slice(0, 3), kept)) : "";
  const queries = useMemo(() => (leaf ? [volumeQuery(leaf, JSON.parse(at) as Indices)] : []), [leaf, at]);
  const got = useArrays(client, leaf ? port : null, hash, queries);
  const file = useMemo(() => (got.data?.[0] && affine ? volumeFile(got.data[0], affine) : null), [got.data, affine]);
  return { file: leaf ? file : null, error: got.error };
}
