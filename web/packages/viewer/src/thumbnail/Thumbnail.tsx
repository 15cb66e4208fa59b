// SPDX-License-Identifier: Apache-2.0
import "../viewer.css";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { lineColours } from "../maths/lines.ts";
import { useClient, useLoaded } from "../hooks/data.ts";
import { textOf } from "../errors.ts";
import type { Api } from "../types.ts";
import { paint, small } from "./paint.ts";

export interface ThumbnailProps {
  api: Api;
  graphId: string;
  port: string;
  /** CSS pixels, width or [width, height]. */
  size?: number | [number, number];
  /** As the server reported it: the picture is made again when it changes. */
  hash?: string | null;
}

/** A small picture of a value: asked for when it comes into view, drawn on the CPU. */
export function Thumbnail({ api, graphId, port, size = 64, hash }: ThumbnailProps): ReactNode {
  const [width, height] = typeof size === "number" ? [size, size] : size;
  const canvas = useRef<HTMLCanvasElement>(null);
  const client = useClient(api, graphId);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const element = canvas.current;
    if (!element || seen) return;
    const observer = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && setSeen(true), { rootMargin: "100px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, [seen]);
  const got = useLoaded(seen ? `${client.url("value", { port })} ${hash ?? ""}` : null, async (signal) => {
    const info = await client.value(port, signal);
    return { info, what: await small(client, port, info, Math.max(width, height), signal) };
  });
  useEffect(() => {
    const element = canvas.current;
    if (!element || !got.data) return;
    const css = getComputedStyle(element);
    const get = (name: string, or: string) => css.getPropertyValue(name).trim() || or;
    const ratio = window.devicePixelRatio || 1;
    paint(element, got.data.what, { fg: get("--lm-fg", "#1c2128"), muted: get("--lm-muted", "#6b7280"), accents: lineColours }, ratio);
  }, [got.data, width, height]);
  const ratio = typeof window === "undefined" ? 1 : window.devicePixelRatio || 1;
  return (
    <canvas
      ref={canvas}
      className="lmv-thumbnail"
      width={Math.round(width * ratio)}
      height={Math.round(height * ratio)}
      style={{ width, height }}
      role="img"
      aria-label={got.data ? `${port}: ${got.data.info.describe}` : port}
      title={got.error ? textOf(got.error) : got.data?.info.describe}
      data-state={got.error ? "error" : got.data ? "done" : "waiting"}
    />
  );
}
