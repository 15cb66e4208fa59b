// SPDX-License-Identifier: Apache-2.0
import { messages, ViewerError } from "../errors.ts";

export type Elements = Uint8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** Elements as they came: complex ones interleaved (re, im). */
export interface Decoded {
  data: Elements;
  complex: boolean;
  dtype: string;
}

const bytesOf: Record<string, number> = { bool: 1, boolean: 1, u8: 1, i16: 2, i32: 4, f32: 4, f64: 8, c64: 8, c128: 16 };

/** Little-endian bytes to elements. Errors   when the type is unknown or bytes are missing */
export function decode(buffer: ArrayBuffer, dtype: string, count: number): Decoded {
  const size = bytesOf[dtype];
  if (size === undefined) throw new ViewerError(messages.dtype(dtype));
  if (buffer.byteLength < count * size) throw new ViewerError(messages.short(buffer.byteLength, count * size));
  switch (dtype) {
    case "i16":
      return { data: new Int16Array(buffer, 0, count), complex: false, dtype };
    case "i32":
      return { data: new Int32Array(buffer, 0, count), complex: false, dtype };
    case "f32":
      return { data: new Float32Array(buffer, 0, count), complex: false, dtype };
    case "f64":
      return { data: new Float64Array(buffer, 0, count), complex: false, dtype };
    case "c64":
      return { data: new Float32Array(buffer, 0, 2 * count), complex: true, dtype };
    case "c128":
      return { data: new Float64Array(buffer, 0, 2 * count), complex: true, dtype };
    default:
      return { data: new Uint8Array(buffer, 0, count), complex: false, dtype };
  }
}

export const isComplex = (dtype: string): boolean => dtype === "c64" || dtype === "c128";
export const isInteger = (dtype: string): boolean => ["u8", "i16", "i32", "bool", "boolean"].includes(dtype);
