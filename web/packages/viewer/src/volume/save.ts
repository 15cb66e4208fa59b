// SPDX-License-Identifier: Apache-2.0
import { isComplex } from "../api/decode.ts";
import type { ImageSource } from "../image/source.ts";
import { fileName, saveBlob } from "../ui/save.ts";
import { niftiOf } from "./file.ts";

/**
 * The whole array as a NIfTI file. An image is written by the server, with its provenance; a map, which has its geometry
 * from the reference beside it, is put together here.
 */
export async function saveNifti(source: ImageSource): Promise<void> {
  const { client, port, hash, leaf, geometry } = source;
  const name = source.wholeFile ? port : `${port}-${leaf.path.replaceAll(".", "-")}`;
  if (source.wholeFile || !geometry?.affine) {
    saveBlob(await client.download(port, "nii.gz", leaf.path), fileName(name, "nii.gz"));
    return;
  }
  const part = isComplex(leaf.dtype) ? { part: "abs" as const } : {};
  const a = await client.array(port, hash, { path: leaf.path, axes: leaf.axes, ...part });
  saveBlob(new Blob([niftiOf(a, geometry.affine)]), fileName(name, "nii"));
}
