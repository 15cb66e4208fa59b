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

export interface Caption {
  text: string;
  ground?: string;
  ink?: string;
  /** Names of curves, each after a stroke of its colour. */
  legend?: { label: string; colour: string }[];
}

/** A canvas with a caption below, on an opaque ground. */
export function captioned(canvas: HTMLCanvasElement, caption: Caption): HTMLCanvasElement {
  const { text, ground = "#0b0d10", ink = "#c9ced6", legend = [] } = caption;
  const ratio = window.devicePixelRatio || 1;
  const strip = text || legend.length ? Math.round(24 * ratio) : 0;
  const out = document.createElement("canvas");
  out.width = canvas.width;
  out.height = canvas.height + strip;
  const ctx = out.getContext("2d")!;
  ctx.fillStyle = ground;
  ctx.fillRect(0, 0, out.width, out.height);
  ctx.drawImage(canvas, 0, 0);
  ctx.font = `${11 * ratio}px "Inter Variable", system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  const y = canvas.height + strip / 2;
  let x = 8 * ratio;
  const write = (words: string) => {
    ctx.fillStyle = ink;
    ctx.fillText(words, x, y, Math.max(1, out.width - x - 8 * ratio));
    x += ctx.measureText(words).width + 14 * ratio;
  };
  if (text) write(text);
  for (const { label, colour } of legend) {
    if (x > out.width - 40 * ratio) break;
    ctx.fillStyle = colour;
    ctx.fillRect(x, y - 1.5 * ratio, 12 * ratio, 3 * ratio);
    x += 17 * ratio;
    write(label);
  }
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
