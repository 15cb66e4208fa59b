// SPDX-License-Identifier: Apache-2.0
import { Download } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { isLeaf, isRecord, leaves, textField } from "../api/tree.ts";
import { messages, ViewerError } from "../errors.ts";
import { useLoaded } from "../hooks/data.ts";
import type { ArrayLeaf } from "../types.ts";
import { IconButton, Message, Waiting } from "../ui/kit.tsx";
import { captioned, fileName, savePng } from "../ui/save.ts";
import { isPicture, pictureAxes, type InnerProps } from "../viewers.ts";
import { rgba } from "./rgba.ts";

/** Pictures: arrays with red, green and blue, or encoded PNG and JPEG bytes. */
export default function PictureViewer({ client, port, info, title, plain }: InnerProps): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const all = leaves(info.value);
  const leaf: ArrayLeaf | undefined = isLeaf(info.value) ? info.value : (all.find(isPicture) ?? all[0]);
  const inline = textField(info.value, "png", "data", "url");
  const got = useLoaded(`${port} ${info.hash} picture`, async (signal) => {
    if (inline) return decoded(inline.startsWith("data:image/") ? inline : `data:image/png;base64,${inline}`);
    if (!leaf) throw new ViewerError(messages.noArray(info.type));
    if (leaf.shape.length === 1) {
      const bytes = await client.array(port, info.hash, { path: leaf.path, axes: leaf.axes }, signal);
      return createImageBitmap(new Blob([Uint8Array.from(bytes.data as Uint8Array)]));
    }
    if (!isPicture(leaf)) throw new ViewerError(messages.noArray(leaf.axes.join(", ")));
    const a = await client.array(port, info.hash, { path: leaf.path, axes: pictureAxes(leaf), max: 4096 }, signal);
    return createImageBitmap(rgba(a));
  });
  useEffect(() => {
    const c = canvas.current;
    if (!c || !got.data) return;
    c.width = got.data.width;
    c.height = got.data.height;
    c.getContext("2d")!.drawImage(got.data, 0, 0);
  }, [got.data]);
  if (got.error) return <Message error={got.error} />;
  const caption = (isRecord(info.value) && textField(info.value, "title", "caption")) || title || port;
  return (
    <div className={`lmv lmv-picture${plain ? " lmv-plain" : ""}`}>
      {!plain && (
        <div className="lmv-toolbar">
          <span className="lmv-muted">{got.data ? `${got.data.width} × ${got.data.height}` : ""}</span>
          <span className="lmv-space" />
          <IconButton icon={Download} title="Save as PNG" onClick={() => canvas.current && void savePng(captioned(canvas.current, { text: "", ground: "#ffffff" }), fileName(port, "png"))} />
        </div>
      )}
      <div className="lmv-picture-box">
        {!got.data && <Waiting />}
        <canvas ref={canvas} role="img" aria-label={caption} />
      </div>
    </div>
  );
}

async function decoded(url: string): Promise<ImageBitmap> {
  const image = new Image();
  image.src = url;
  await image.decode();
  return createImageBitmap(image);
}
