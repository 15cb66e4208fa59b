// SPDX-License-Identifier: Apache-2.0
import { useMemo, type ReactNode } from "react";
import { messages, ViewerError } from "../errors.ts";
import { useOptions } from "../hooks/store.ts";
import { ImageView } from "../image/ImageView.tsx";
import type { ImageSource } from "../image/source.ts";
import type { PlainOptions } from "../types.ts";
import { Message, Select } from "../ui/kit.tsx";
import type { InnerProps } from "../viewers.ts";
import { mapsOf, statusNames } from "./source.ts";

type Shown = "values" | "error" | "status";
interface MapsOptions {
  map?: string;
  show?: Shown;
  /** Image options of each map: a window belongs to a quantity. */
  views?: Record<string, PlainOptions>;
}

/** Parameter maps: which one, and its values, standard errors, or the status of the fit. */
export default function MapsViewer(p: InnerProps): ReactNode {
  const [options, change] = useOptions<MapsOptions>(p.options, p.onOptions);
  const maps = useMemo(() => mapsOf(p.info.value), [p.info]);
  const entry = maps?.entries.find((e) => e.name === options.map) ?? maps?.entries[0];
  const show: Shown =
    options.show === "error" && entry?.error ? "error" : options.show === "status" && maps?.status ? "status" : "values";
  const source = useMemo<ImageSource | null>(() => {
    if (!maps || !entry) return null;
    const leaf = show === "error" ? entry.error! : show === "status" ? maps.status! : entry.values;
    return {
      client: show === "status" ? p.client : p.client.times(entry.factor),
      port: p.port,
      hash: p.info.hash,
      leaf,
      geometry: maps.geometry,
      unit: show === "status" ? "" : entry.unit,
      title: show === "status" ? "Status of the fit" : show === "error" ? `${entry.title}, standard error` : entry.title,
      times: null,
      wholeFile: false,
      ...(show === "status" ? { names: statusNames } : {}),
    };
  }, [maps, entry, show, p.client, p.port, p.info.hash]);
  if (!maps || !entry || !source) return <Message error={new ViewerError(messages.noArray(p.info.type))} />;
  const viewKey = show === "status" ? "status" : `${entry.name} ${show}`;
  const common = options.views?.["*"] ?? {};
  const own = options.views?.[viewKey] ?? {};
  return (
    <ImageView
      key={viewKey}
      source={source}
      options={{ ...common, ...own }}
      onOptions={(next) => {
        // Where one looks stays when the map is changed; how it is coloured belongs to the map.
        const { axes, at, zoom, tile, flip, aspect, smooth, rois, line, tool, cine, compare, ...look } = next;
        const place = { axes, at, zoom, tile, flip, aspect, smooth, rois, line, tool, cine, compare };
        change({ views: { ...options.views, "*": strip(place), [viewKey]: strip(look) } });
      }}
      linked={p.linked}
      ports={p.ports}
      plain={p.plain}
      lead={
        <>
          <Select
            title="Map"
            value={entry.name}
            choices={maps.entries.map((e) => [e.name, e.unit && e.unit !== "1" ? `${e.name} [${e.unit}]` : e.name] as const)}
            onChange={(map) => change({ map })}
          />
          {(entry.error || maps.status) && (
            <Select<Shown>
              title="Values, standard error or status"
              value={show}
              choices={[
                ["values", "value"],
                ...(entry.error ? ([["error", "std. error"]] as const) : []),
                ...(maps.status ? ([["status", "status"]] as const) : []),
              ]}
              onChange={(next) => change({ show: next })}
            />
          )}
        </>
      }
    />
  );
}

const strip = (o: Record<string, unknown>): PlainOptions => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined));
