// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useMemo, useState } from "react";
import type { ArrayQuery } from "../api/client.ts";
import { isComplex } from "../api/decode.ts";
import { mainLeaf } from "../api/tree.ts";
import { messages } from "../errors.ts";
import { useArrays, useStatistics, useValue } from "../hooks/data.ts";
import { useLink } from "../hooks/store.ts";
import {
  completeIndices,
  defaultAxes,
  extent,
  pickAxis,
  sliderAxes,
  tileGrid,
  tileIndices,
  type Indices,
} from "../maths/axes.ts";
import type { MapName } from "../maths/colour.ts";
import { orient, position, sameGrid, spaceColumn, spacingOf, upright, voxel } from "../maths/geometry.ts";
import { autoWindow, widened, type Window } from "../maths/window.ts";
import type { Part, ViewerProps } from "../types.ts";
import type { Look } from "./colourise.ts";
import { detailBox, fitted, Layout } from "./layout.ts";
import { defaultMap, looksLikeLabels, resolveWindow, type ImageOptions } from "./options.ts";
import type { CompareMode } from "./renderer.ts";
import { sample, slicesOf, valuesOf, type Slice } from "./slice.ts";
import { geometryOf, type ImageSource } from "./source.ts";
import { useCine } from "./useCine.ts";

const most = 2048; // samples along a side: more than a screen shows
const statisticsLimit = 2 ** 28; // elements: beyond, windows come from the slice

export interface Pick {
  tile: number;
  /** Full indices on every axis, rounded. */
  index: Indices;
  mm: [number, number, number] | null;
  re: number;
  im: number;
  b: [number, number] | null;
}

export type ImageModel = ReturnType<typeof useImage>;

/** All that follows from a source, the options and the size of the stage. */
export function useImage(
  source: ImageSource,
  options: ImageOptions,
  change: (part: Partial<ImageOptions>) => void,
  linked: string | undefined,
  box: { width: number; height: number },
  ports?: ViewerProps["ports"],
) {
  const { client, port, hash, leaf, geometry, unit } = source;
  const me = useId();
  const { link, set: setLink } = useLink(linked);
  const complex = isComplex(leaf.dtype);
  const affine = geometry?.affine ?? null;

  // Axes and indices.
  const shown = useMemo<[string, string]>(() => {
    const kept = options.axes;
    if (kept && kept[0] !== kept[1] && kept.every((a) => leaf.axes.includes(a))) return kept;
    return upright(leaf, defaultAxes(leaf, affine !== null), affine);
  }, [options.axes, leaf, affine]);
  const linkedAt = useMemo(() => {
    const at: Indices = {};
    for (const [axis, i] of Object.entries(link.slices?.at ?? {})) {
      if (link.slices!.lengths[axis] === extent(leaf, axis)) at[axis] = i;
    }
    const mm = link.slices?.mm;
    if (mm && affine) {
      const v = voxel(affine, mm);
      leaf.axes.slice(0, 3).forEach((axis, c) => (at[axis] ??= Math.round(v[c]!)));
    }
    return at;
  }, [link.slices, leaf, affine]);
  const still = useMemo(
    () => completeIndices(leaf, shown, { ...options.at, ...linkedAt }),
    [leaf, shown, options.at, linkedAt],
  );
  const sliders = useMemo(() => sliderAxes(leaf, shown), [leaf, shown]);
  const tileAxis = options.tile && sliders.includes(options.tile.axis) ? options.tile.axis : null;
  const hands = sliders.filter((a) => a !== tileAxis);

  // The second value.
  const comparePort = options.compare?.port ?? null;
  const other = useValue(client, comparePort, ports?.find((p) => p.port === comparePort)?.hash ?? hash);
  const leafB = useMemo(() => (other.data && comparePort ? mainLeaf(other.data) : null), [other.data, comparePort]);
  const missing = leafB ? shown.filter((a) => !leafB.axes.includes(a)) : [];
  const usableB = leafB && missing.length === 0 ? leafB : null;
  const affineB = useMemo(() => geometryOf(other.data?.value)?.affine ?? null, [other.data]);
  // Grids that differ are brought together in space by the server, which has both.
  const onto = useMemo(() => {
    const spatial = (l: { axes: string[] }) => ["x", "y", "z"].every((a, c) => l.axes[c] === a);
    if (!affine || !affineB || !usableB || !spatial(leaf) || !spatial(usableB) || shown.some((a) => spaceColumn(leaf, a) < 0)) return undefined;
    return sameGrid({ shape: leaf.shape, affine }, { shape: usableB.shape, affine: affineB }) ? undefined : { port, hash };
  }, [affine, affineB, leaf, usableB, shown, port, hash]);

  // What to ask for.
  const tiles = useMemo(
    () =>
      tileAxis
        ? tileIndices(extent(leaf, tileAxis), options.tile?.from, options.tile?.to, options.tile?.every)
        : [null],
    [tileAxis, leaf, options.tile],
  );
  const max = tiles.length > 1 ? Math.max(64, 2 ** Math.ceil(Math.log2(1600 / Math.sqrt(tiles.length)))) : most;
  const queryA = useMemo(
    () =>
      (at: Indices): ArrayQuery => ({ path: leaf.path, axes: shown, at: completeIndices(leaf, shown, at), max }),
    [leaf, shown, max],
  );
  const queryB = useMemo(
    () =>
      usableB &&
      ((at: Indices): ArrayQuery => ({
        path: usableB.path,
        axes: shown,
        at: onto
          ? { ...completeIndices(usableB, [...usableB.axes.slice(0, 3)], at), ...completeIndices(leaf, [...shown, ...leaf.axes.slice(3)], at) }
          : completeIndices(usableB, shown, at),
        max,
        ...(onto ? { onto } : {}),
      })),
    [usableB, leaf, shown, max, onto],
  );
  const hashB = other.data?.hash ?? "";

  // Cine.
  const [playing, setPlaying] = useState(false);
  const cineAxis =
    options.cine?.axis && hands.includes(options.cine.axis)
      ? options.cine.axis
      : (hands.find((a) => a === "t") ?? hands[hands.length - 1] ?? null);
  const fps = options.cine?.fps ?? 12;
  const { frame, rate } = useCine({
    client,
    length: cineAxis ? extent(leaf, cineAxis) : 1,
    start: cineAxis ? (still[cineAxis] ?? 0) : 0,
    fps,
    playing: playing && cineAxis !== null && tileAxis === null,
    needs: (i) => {
      const at = { ...still, [cineAxis!]: i };
      const needs = [{ port, hash, query: queryA(at) }];
      if (queryB && comparePort) needs.push({ port: comparePort, hash: hashB, query: queryB(at) });
      return needs;
    },
  });
  const at = useMemo(
    () => (frame !== null && cineAxis ? { ...still, [cineAxis]: frame } : still),
    [still, frame, cineAxis],
  );
  const ats = useMemo(
    () => tiles.map((k) => (k === null || !tileAxis ? at : { ...at, [tileAxis]: k })),
    [tiles, tileAxis, at],
  );
  const queriesA = useMemo(() => ats.map(queryA), [ats, queryA]);
  const queriesB = useMemo(() => (queryB ? ats.map(queryB) : []), [ats, queryB]);
  const gotA = useArrays(client, port, hash, queriesA);
  const gotB = useArrays(client, usableB ? comparePort : null, hashB, queriesB);
  const slicesA = useMemo(() => gotA.data?.map((d) => slicesOf(d)[0]!) ?? null, [gotA.data]);
  const slicesB = useMemo(() => gotB.data?.map((d) => slicesOf(d)[0]!) ?? null, [gotB.data]);

  // How it looks.
  const part: Part = complex ? (options.part ?? "abs") : "real";
  const map: MapName = options.maps?.[part] ?? defaultMap(leaf, part);
  const elements = leaf.shape.reduce((a, b) => a * b, 1);
  const windowOption = options.windows?.[part];
  const needsWhole = part !== "phase" && windowOption?.mode !== "slice" && windowOption?.mode !== "manual";
  const statisticsPart: "native" | Exclude<Part, "colour"> = complex ? (part === "colour" ? "abs" : part) : "native";
  const whole = useStatistics(
    client,
    port,
    hash,
    needsWhole && elements <= statisticsLimit ? { path: leaf.path, part: statisticsPart } : null,
  );
  const wholeWindow = useMemo<Window | null>(() => {
    const p = whole.data?.percentiles;
    if (!p || !needsWhole) return null;
    const [lo, hi] = [Number(p["1"]), Number(p["99"])];
    return hi > lo ? { lo, hi } : widened(Number(whole.data!.min), Number(whole.data!.max));
  }, [whole.data, needsWhole]);
  const windowKey = `${part} ${unit}` as Part;
  const linkedWindow = linked ? link.windows[windowKey]?.window : undefined;
  const waits = needsWhole && elements <= statisticsLimit && whole.loading && !whole.data;
  const look = useMemo<Look>(() => {
    const values = () => (slicesA?.[Math.floor(slicesA.length / 2)] ? valuesOf(slicesA[Math.floor(slicesA.length / 2)]!, part) : []);
    const window =
      linkedWindow ?? (map === "labels" ? { lo: 0, hi: 255 } : resolveWindow(windowOption, part, map, wholeWindow, values));
    return { part, map, window, gamma: options.gamma ?? 1 };
  }, [slicesA, part, map, windowOption, wholeWindow, linkedWindow, options.gamma]);

  const mode: CompareMode = usableB && slicesB && slicesB.length === slicesA?.length ? options.compare!.mode : "single";
  const lookB = useMemo<Look | undefined>(() => {
    if (mode === "single" || !slicesA || !slicesB || !usableB) return undefined;
    const compare = options.compare!;
    const manual = (auto: Window): Window => ({ lo: compare.window?.lo ?? auto.lo, hi: compare.window?.hi ?? auto.hi });
    if (mode === "wipe") return look;
    const partB: Part = isComplex(usableB.dtype) ? (part === "real" && !complex ? "abs" : part) : "real";
    if (mode === "overlay") {
      const mapB = compare.map ?? (looksLikeLabels(usableB) ? "labels" : "inferno");
      const auto = mapB === "labels" ? { lo: 0, hi: 255 } : autoWindow(valuesOf(slicesB[0]!, partB));
      return { part: partB, map: mapB, window: manual(auto), gamma: 1 };
    }
    if (part === "phase") return { part, map: "phase", window: { lo: -Math.PI, hi: Math.PI }, gamma: 1 };
    const most = differenceSize(slicesA[0]!, slicesB[0]!, part);
    const auto = part === "colour" ? { lo: 0, hi: most } : { lo: -most, hi: most };
    return { part, map: compare.map ?? "coolwarm", window: manual(auto), gamma: 1 };
  }, [mode, slicesA, slicesB, usableB, options.compare, look, part, complex]);

  // Where it is.
  const orientation = useMemo(() => orient(leaf, shown, affine), [leaf, shown, affine]);
  const flipH = orientation.flipH !== (options.flip?.h ?? false);
  const flipV = orientation.flipV !== (options.flip?.v ?? false);
  const letters = useMemo(
    () => ({
      ...orientation,
      ...(options.flip?.h ? { left: orientation.right, right: orientation.left } : {}),
      ...(options.flip?.v ? { top: orientation.bottom, bottom: orientation.top } : {}),
    }),
    [orientation, options.flip],
  );
  const mm = useMemo<[number, number] | null>(() => {
    const [a, b] = [spacingOf(leaf, shown[0], geometry), spacingOf(leaf, shown[1], geometry)];
    return a && b ? [a, b] : null;
  }, [leaf, shown, geometry]);
  const extentH = extent(leaf, shown[0]);
  const extentV = extent(leaf, shown[1]);
  const size = useMemo<[number, number]>(() => {
    const aspect = options.aspect ?? "geometry";
    // One long axis against a short one (coil x echo) would be a thread: fill unless told otherwise.
    const thread = !mm && options.aspect === undefined && Math.max(extentH / extentV, extentV / extentH) > 8;
    if ((aspect === "fill" || thread) && box.width > 0 && box.height > 0) return [box.width / extentH, box.height / extentV];
    return aspect === "geometry" && mm ? mm : [1, 1];
  }, [options.aspect, mm, extentH, extentV, box]);
  const columns =
    options.tile?.columns ??
    tileGrid(tiles.length, (extentH * size[0]) / (extentV * size[1]), box.width / Math.max(1, box.height)).columns;
  const layout = useMemo(
    () =>
      new Layout({
        width: extentH,
        height: extentV,
        size,
        count: tiles.length,
        columns,
        box,
        flipH,
        flipV,
        zoom: options.zoom ?? fitted,
      }),
    [extentH, extentV, size, tiles.length, columns, box, flipH, flipV, options.zoom],
  );

  // The piece that is seen, in full, when the plane had to be thinned.
  const thin = slicesA?.[0]?.step;
  const detailText = (() => {
    const seen = tiles.length === 1 && mode === "single" && thin && !playing && box.width > 0 ? layout.visible() : null;
    const piece = seen && thin ? detailBox(seen, [extentH, extentV], thin, most) : null;
    return piece ? JSON.stringify(piece) : "";
  })();
  const detail = useMemo(
    () => (detailText ? (JSON.parse(detailText) as { x: [number, number]; y: [number, number] }) : null),
    [detailText],
  );
  const detailQueries = useMemo(
    () => (detail ? [{ ...queryA(at), range: { [shown[0]]: detail.x, [shown[1]]: detail.y } }] : []),
    [detail, queryA, at, shown],
  );
  const gotDetail = useArrays(client, detail ? port : null, hash, detailQueries);
  const detailSlice = useMemo(
    () => (detail && !gotDetail.loading && gotDetail.data?.[0] ? { slice: slicesOf(gotDetail.data[0])[0]!, ...detail } : null),
    [detail, gotDetail.data, gotDetail.loading],
  );

  useEffect(() => {
    if (!sliders.length || tileAxis) setPlaying(false);
  }, [sliders.length, tileAxis]);

  const setAt = (next: Indices) => {
    change({ at: { ...options.at, ...next } });
    if (linked) {
      const lengths = Object.fromEntries(leaf.axes.map((a) => [a, extent(leaf, a)]));
      setLink({ slices: { at: { ...still, ...next }, lengths, mm: null, from: me } });
    }
  };
  const setWindow = (window: Window) => {
    change({ windows: { ...options.windows, [part]: { mode: "manual", ...window } } });
    if (linked) setLink({ windows: { ...link.windows, [windowKey]: { window, from: me } } });
  };
  const autoWindowBy = (by: "array" | "slice") => {
    change({ windows: { ...options.windows, [part]: { mode: by } } });
    if (linked) {
      const rest = { ...link.windows };
      delete rest[windowKey];
      setLink({ windows: rest });
    }
  };
  const stop = () => {
    setPlaying(false);
    if (frame !== null && cineAxis) setAt({ [cineAxis]: frame });
  };

  /** What is at index coordinates (i, j) of a tile. */
  const pick = (tile: number, i: number, j: number): Pick | null => {
    const slice = slicesA?.[tile];
    const ia = Math.round(i);
    const ja = Math.round(j);
    if (!slice || ia < 0 || ja < 0 || ia >= extentH || ja >= extentV) return null;
    const index: Indices = { ...ats[tile], [shown[0]]: ia, [shown[1]]: ja };
    const d = detailSlice;
    const [re, im] =
      d && ia >= d.x[0] && ia < d.x[1] && ja >= d.y[0] && ja < d.y[1]
        ? sampleAt(d.slice, ia - d.x[0], ja - d.y[0])
        : sampleAt(slice, ia, ja);
    const b = slicesB?.[tile] && mode !== "single" ? sampleAt(slicesB[tile], ia, ja) : null;
    const ijk = leaf.axes.slice(0, 3).map((a) => index[a] ?? 0);
    return { tile, index, mm: affine ? position(affine, ijk) : null, re, im, b };
  };

  /** Where a linked cursor lies on tile 0; null when it is not known here. */
  const cursorHere = useMemo<[number, number] | null>(() => {
    const c = link.cursor;
    if (!c) return null;
    const v = c.mm && affine ? voxel(affine, c.mm) : null;
    const along = (axis: string) => {
      const column = spaceColumn(leaf, axis);
      return v && column >= 0 ? v[column]! : c.index[axis];
    };
    const [i, j] = [along(shown[0]), along(shown[1])];
    return i !== undefined && j !== undefined ? [i, j] : null;
  }, [link.cursor, affine, leaf, shown]);

  const warning =
    missing.length && leafB
      ? messages.axes(missing, leafB.axes)
      : usableB && slicesA?.[0] && slicesB?.[0] && (slicesA[0].width !== slicesB[0].width || slicesA[0].height !== slicesB[0].height)
        ? messages.grids([slicesA[0].width, slicesA[0].height], [slicesB[0].width, slicesB[0].height])
        : "";

  return {
    source,
    options,
    change,
    me,
    linked,
    complex,
    shown,
    setShown: (which: 0 | 1, axis: string) => change({ axes: pickAxis(shown, which, axis), zoom: undefined, line: null, rois: [] }),
    at,
    ats,
    tiles,
    tileAxis,
    sliders,
    hands,
    setAt,
    part,
    map,
    look,
    lookB,
    mode,
    setWindow,
    autoWindowBy,
    statisticsPart,
    wholeWindow,
    slicesA,
    slicesB,
    detail: detailSlice,
    layout,
    letters,
    flipH,
    flipV,
    mm,
    unit,
    pick,
    cursorHere,
    cursorFrom: link.cursor?.from ?? null,
    /** The slices through a point, here and in linked viewers. */
    pin: (p: Pick) => {
      if (!linked) return;
      const lengths = Object.fromEntries(leaf.axes.map((a) => [a, extent(leaf, a)]));
      setLink({ slices: { at: p.index, lengths, mm: p.mm, from: me } });
    },
    setCursor: (p: Pick | null) => setLink({ cursor: p ? { index: p.index, mm: p.mm, from: me } : null }),
    cine: { axis: cineAxis, fps, playing: playing && cineAxis !== null, rate, play: () => setPlaying(true), stop },
    loading: gotA.loading || gotB.loading || waits,
    error: gotA.error ?? gotB.error ?? (comparePort ? other.error : null),
    warning,
  };
}

function sampleAt(slice: Slice, i: number, j: number): [number, number] {
  return sample(
    slice,
    Math.min(slice.width - 1, Math.floor(i / slice.step[0])),
    Math.min(slice.height - 1, Math.floor(j / slice.step[1])),
  );
}

/** 99th percentile of |a - b| of the part, never 0. */
function differenceSize(a: Slice, b: Slice, part: Part): number {
  const [va, vb] = [valuesOf(a, part), valuesOf(b, part)];
  const n = Math.min(va.length, vb.length);
  const d = new Float64Array(n);
  for (let k = 0; k < n; ++k) d[k] = Math.abs(va[k]! - vb[k]!);
  const w = autoWindow(d);
  return w.hi > 0 ? w.hi : 1;
}
