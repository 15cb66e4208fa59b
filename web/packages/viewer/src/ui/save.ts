// SPDX-License-Identifier: Apache-2.0

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const a = document.createElement("a");
  a.href = url;
  a.download = name;
  document.body.append(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export const saveText = (text: string, name: string, type = "text/csv;charset=utf-8"): void =>
  saveBlob(new Blob([text], { type }), name);

/** "fit.Ktrans" -> "fit.Ktrans.png"; what a file system might not like becomes "-". */
export const fileName = (port: string, ending: string): string => `${port.replace(/[^A-Za-z0-9._-]+/g, "-")}.${ending}`;

/** A canvas with a caption below, on an opaque ground. */
export function captioned(canvas: HTMLCanvasElement, caption: string, ground = "#0b0d10", ink = "#c9ced6"): HTMLCanvasElement {
  const ratio = window.devicePixelRatio || 1;
  const strip = caption ? Math.round(24 * ratio) : 0;
  const out = document.createElement("canvas");
  out.width = canvas.width;
  out.height = canvas.height + strip;
  const ctx = out.getContext("2d")!;
  ctx.fillStyle = ground;
  ctx.fillRect(0, 0, out.width, out.height);
  ctx.drawImage(canvas, 0, 0);
  ctx.font = `${11 * ratio}px "Inter Variable", system-ui, sans-serif`;
  ctx.fillStyle = ink;
  ctx.textBaseline = "middle";
  if (caption) ctx.fillText(caption, 8 * ratio, canvas.height + strip / 2, out.width - 16 * ratio);
  return out;
}

export const savePng = (canvas: HTMLCanvasElement, name: string): Promise<void> =>
  new Promise((resolve, reject) =>
    canvas.toBlob((blob) => {
      if (!blob) return reject(new Error("the picture could not be encoded"));
      saveBlob(blob, name);
      resolve();
    }, "image/png"),
  );
