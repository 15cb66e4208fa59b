// SPDX-License-Identifier: Apache-2.0
import { Lru } from "../api/lru.ts";
import { messages, ViewerError } from "../errors.ts";
import { mapTable, type MapName } from "../maths/colour.ts";
import type { Part } from "../types.ts";
import type { Look } from "./colourise.ts";
import { fragmentShader, vertexShader, type Variant } from "./shader.ts";
import type { Slice } from "./slice.ts";
import { drawPlain, isPlain } from "./software.ts";

export type CompareMode = "single" | "wipe" | "difference" | "overlay";

/** A tile in device pixels of the target, which it may overlap. */
export interface Tile {
  a: Slice;
  b?: Slice | null;
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Drawing {
  tiles: Tile[];
  flipH: boolean;
  flipV: boolean;
  look: Look;
  lookB?: Look;
  mode: CompareMode;
  /** Share of the tile left of the seam. */
  wipe: number;
  opacity: number;
  smooth: boolean;
}

type Uniforms = (name: string) => WebGLUniformLocation | null;
const partCodes: Record<Part, number> = { real: 0, imag: 1, abs: 2, phase: 3, colour: 4 };
const modeCodes: Record<CompareMode, Variant["mode"]> = { single: 0, wipe: 1, difference: 2, overlay: 3 };

/**
 * Draws planes into 2D canvases. One context serves all viewers of a page: browsers allow about 16 and take the oldest
 * away without a word, which a dashboard would run into.
 */
export class Renderer {
  private readonly canvas: HTMLCanvasElement;
  private gl!: WebGL2RenderingContext;
  private programs!: Map<string, { program: WebGLProgram; uniforms: Uniforms }>;
  private planes!: Lru<WebGLTexture>;
  private tables!: Map<MapName, WebGLTexture>;
  /** WebGL that runs on the CPU, as on remote desktops and servers. */
  private onCpu = false;

  /** `shader`: always by the shader. */
  constructor(private readonly shader = false) {
    this.canvas = document.createElement("canvas");
    this.canvas.addEventListener("webglcontextlost", (e) => e.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => this.start());
    this.start();
  }

  private start(): void {
    const gl = this.canvas.getContext("webgl2", { alpha: true, antialias: false, depth: false, premultipliedAlpha: true });
    if (!gl) throw new ViewerError(messages.noWebgl());
    this.gl = gl;
    const told = gl.getExtension("WEBGL_debug_renderer_info");
    this.onCpu = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(String(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER)));
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([0, 0, 1, 0, 0, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.programs = new Map();
    this.planes = new Lru<WebGLTexture>(256 * 2 ** 20, (t) => gl.deleteTexture(t));
    this.tables = new Map();
  }

  /** Makes the program for a variant current; gives the places of its uniforms. */
  private use(variant: Variant): Uniforms {
    const gl = this.gl;
    const key = JSON.stringify(variant);
    let made = this.programs.get(key);
    if (!made) {
      const program = gl.createProgram();
      for (const [type, source] of [
        [gl.VERTEX_SHADER, vertexShader],
        [gl.FRAGMENT_SHADER, fragmentShader(variant)],
      ] as const) {
        const shader = gl.createShader(type)!;
        gl.shaderSource(shader, source);
        gl.compileShader(shader);
        if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) {
          throw new ViewerError(messages.shader(gl.getShaderInfoLog(shader) ?? ""));
        }
        gl.attachShader(program, shader);
      }
      gl.bindAttribLocation(program, 0, "corner");
      gl.linkProgram(program);
      if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
        throw new ViewerError(messages.shader(gl.getProgramInfoLog(program) ?? ""));
      }
      const places = new Map<string, WebGLUniformLocation | null>();
      made = {
        program,
        uniforms: (name) => {
          if (!places.has(name)) places.set(name, gl.getUniformLocation(program, name));
          return places.get(name)!;
        },
      };
      this.programs.set(key, made);
      gl.useProgram(program);
      ["planeA", "planeB", "tableA", "tableB"].forEach((name, unit) => gl.uniform1i(made!.uniforms(name), unit));
    }
    gl.useProgram(made.program);
    return made.uniforms;
  }

  private texture(unit: number, texture: WebGLTexture): void {
    this.gl.activeTexture(this.gl.TEXTURE0 + unit);
    this.gl.bindTexture(this.gl.TEXTURE_2D, texture);
  }
  private newTexture(unit: number): WebGLTexture {
    const gl = this.gl;
    const texture = gl.createTexture();
    this.texture(unit, texture);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, name, gl.NEAREST);
    for (const name of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, name, gl.CLAMP_TO_EDGE);
    return texture;
  }
  private plane(unit: number, slice: Slice): void {
    const gl = this.gl;
    const kept = this.planes.get(slice.key);
    if (kept) return this.texture(unit, kept);
    const texture = this.newTexture(unit);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    const [inner, format] = slice.complex ? [gl.RG32F, gl.RG] : [gl.R32F, gl.RED];
    gl.texImage2D(gl.TEXTURE_2D, 0, inner, slice.width, slice.height, 0, format, gl.FLOAT, slice.floats);
    this.planes.set(slice.key, texture, slice.floats.byteLength);
  }
  private table(unit: number, name: MapName): void {
    const gl = this.gl;
    const kept = this.tables.get(name);
    if (kept) return this.texture(unit, kept);
    const texture = this.newTexture(unit);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, mapTable(name));
    this.tables.set(name, texture);
  }

  /** Draws into the rectangle (0, 0, width, height) of the target, which is cleared first. */
  draw(target: CanvasRenderingContext2D, width: number, height: number, drawing: Drawing): void {
    const gl = this.gl;
    if (width < 1 || height < 1) return;
    if (this.onCpu && !this.shader && isPlain(drawing)) return drawPlain(target, width, height, drawing);
    if (gl.isContextLost()) return;
    if (this.canvas.width < width || this.canvas.height < height) {
      this.canvas.width = Math.max(this.canvas.width, width);
      this.canvas.height = Math.max(this.canvas.height, height);
    }
    const top = this.canvas.height - height; // GL rows count from the bottom, the copy is taken from the top
    gl.viewport(0, top, width, height);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(0, top, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const { look, lookB = look } = drawing;
    this.table(2, look.map);
    this.table(3, lookB.map);
    // All tiles are of one kind: with a second plane each, or none with one.
    const compared = drawing.tiles.every((t) => t.b) && drawing.tiles.length > 0;
    const u = this.use({
      mode: compared ? modeCodes[drawing.mode] : 0,
      smooth: drawing.smooth,
      coloured: look.part === "colour" || lookB.part === "colour",
    });
    gl.uniform2i(u("flip"), drawing.flipH ? 1 : 0, drawing.flipV ? 1 : 0);
    gl.uniform1i(u("partA"), partCodes[look.part]);
    gl.uniform1i(u("partB"), partCodes[lookB.part]);
    gl.uniform1i(u("labelsA"), look.map === "labels" ? 1 : 0);
    gl.uniform1i(u("labelsB"), lookB.map === "labels" ? 1 : 0);
    gl.uniform3f(u("windowA"), look.window.lo, look.window.hi, look.gamma);
    gl.uniform3f(u("windowB"), lookB.window.lo, lookB.window.hi, lookB.gamma);
    gl.uniform1f(u("wipe"), drawing.wipe);
    gl.uniform1f(u("opacity"), drawing.opacity);
    for (const tile of drawing.tiles) {
      if (tile.x >= width || tile.y >= height || tile.x + tile.width <= 0 || tile.y + tile.height <= 0) continue;
      this.plane(0, tile.a);
      this.plane(1, tile.b ?? tile.a);
      gl.uniform1i(u("complexA"), tile.a.complex ? 1 : 0);
      gl.uniform1i(u("complexB"), tile.b?.complex ? 1 : 0);
      gl.uniform4f(
        u("rect"),
        (2 * tile.x) / width - 1,
        1 - (2 * tile.y) / height,
        (2 * tile.width) / width,
        (-2 * tile.height) / height,
      );
      gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
    }
    target.clearRect(0, 0, width, height);
    target.drawImage(this.canvas, 0, 0, width, height, 0, 0, width, height);
  }
}

let shared: Renderer | null = null;
export const renderer = (): Renderer => (shared ??= new Renderer());
