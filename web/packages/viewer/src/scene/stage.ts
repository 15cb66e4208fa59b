// SPDX-License-Identifier: Apache-2.0
import * as THREE from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { LineMaterial } from "three/examples/jsm/lines/LineMaterial.js";
import { LineSegments2 } from "three/examples/jsm/lines/LineSegments2.js";
import { LineSegmentsGeometry } from "three/examples/jsm/lines/LineSegmentsGeometry.js";
import { short, ticks } from "../maths/window.ts";
import { bounds, seenAt, type Item } from "./items.ts";

interface Made {
  item: Item;
  object: THREE.Object3D;
  show: (seen: Seen) => void;
}
type Seen = ReturnType<typeof seenAt>;
type Corner = [number, number, number];

/** What is around the items. */
export interface Surroundings {
  unit: string;
  axes?: readonly string[] | undefined;
  box?: { low: Corner; high: Corner } | null;
  /** Looked at from above, and not turned: two coordinates. */
  flat?: boolean;
  ink: { fg: string; muted: string };
}

/** Items in a three.js scene with axes; draws when something changes and not otherwise. */
export class SceneStage {
  readonly controls: OrbitControls;
  private readonly renderer: THREE.WebGLRenderer;
  private readonly scene = new THREE.Scene();
  private readonly camera = new THREE.PerspectiveCamera(38, 1, 0.01, 1e6);
  private made: Made[] = [];
  private frame: THREE.Group | null = null;
  private asked = 0;
  private size = 1;
  private spans: [number, number] = [1, 1];
  private flat = false;
  private width = 1;
  private height = 1;
  private middle = new THREE.Vector3();

  constructor(canvas: HTMLCanvasElement, moved: () => void) {
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true, alpha: true });
    this.renderer.setPixelRatio(window.devicePixelRatio || 1);
    this.camera.up.set(0, 0, 1);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.addEventListener("change", () => this.ask());
    this.controls.addEventListener("end", moved);
    const key = new THREE.DirectionalLight(0xffffff, 2);
    key.position.set(0.4, 0.6, 1);
    this.camera.add(key);
    this.scene.add(this.camera, new THREE.AmbientLight(0xffffff, 1.1));
  }

  set(items: readonly Item[], around: Surroundings): void {
    this.clear();
    const { low, high } = around.box ?? bounds(items);
    this.middle = new THREE.Vector3(...low).add(new THREE.Vector3(...high)).multiplyScalar(0.5);
    this.size = Math.max(new THREE.Vector3(...high).sub(new THREE.Vector3(...low)).length(), 1e-6);
    this.spans = [high[0] - low[0], high[1] - low[1]];
    this.flat = around.flat ?? false;
    this.controls.enableRotate = !this.flat;
    this.controls.mouseButtons.LEFT = this.flat ? THREE.MOUSE.PAN : THREE.MOUSE.ROTATE;
    this.made = items.map((item) => make(item, this.size));
    this.made.forEach((m) => this.scene.add(m.object));
    this.frame = axesFrame(low, high, around, this.size);
    this.scene.add(this.frame);
    this.fitLines();
    this.ask();
  }

  /** Camera as plain numbers, and back; without one it looks from the front right, above. */
  get view(): number[] {
    return [...this.camera.position.toArray(), ...this.controls.target.toArray()];
  }
  look(view: number[] | undefined): void {
    if (view?.length === 6) {
      this.camera.position.fromArray(view);
      this.controls.target.fromArray(view, 3);
    } else {
      this.controls.target.copy(this.middle);
      this.camera.position.copy(this.middle);
      if (this.flat) {
        // So far that the box and the numbers beside it fit; a hair off the axis, where "up" would mean nothing.
        const half = Math.tan((this.camera.fov * Math.PI) / 360);
        const wide = Math.max(1.36 * this.spans[1], (1.36 * this.spans[0]) / this.camera.aspect);
        this.camera.position.add(new THREE.Vector3(0, -1e-5 * this.size, Math.max(wide, 1e-6) / 2 / half));
      } else {
        const narrow = Math.max(1, 1.15 / this.camera.aspect);
        this.controls.target.z -= 0.05 * this.size; // the numbers at the floor are part of the picture
        this.camera.position.add(new THREE.Vector3(0.78, -1.2, 0.66).multiplyScalar(this.size * narrow));
      }
    }
    this.camera.near = this.size / 1000;
    this.camera.far = this.size * 50;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.ask();
  }

  time(t: number, hidden: readonly number[]): void {
    this.made.forEach(({ item, object, show }, k) => {
      object.visible = !hidden.includes(k);
      show(seenAt(item, t));
    });
    this.ask();
  }
  axes(on: boolean): void {
    if (this.frame) this.frame.visible = on;
    this.ask();
  }
  resize(width: number, height: number): void {
    if (width < 1 || height < 1) return;
    this.width = width;
    this.height = height;
    this.fitLines();
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }
  /** Lines are as wide as they are on the screen, so they must know its size. */
  private fitLines(): void {
    for (const { object } of this.made) {
      if (object instanceof LineSegments2) object.material.resolution.set(this.width, this.height);
    }
  }
  private ask(): void {
    if (!this.asked) this.asked = requestAnimationFrame(() => this.draw());
  }
  draw(): void {
    cancelAnimationFrame(this.asked);
    this.asked = 0;
    this.renderer.render(this.scene, this.camera);
  }
  private clear(): void {
    for (const object of [...this.made.map((m) => m.object), ...(this.frame ? [this.frame] : [])]) {
      this.scene.remove(object);
      release(object);
    }
    this.made = [];
    this.frame = null;
  }
  dispose(): void {
    cancelAnimationFrame(this.asked);
    this.clear();
    this.controls.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss(); // browsers keep few contexts
  }
}

function release(object: THREE.Object3D): void {
  object.traverse((o) => {
    const held = o as Partial<THREE.Mesh>;
    held.geometry?.dispose();
    for (const m of [held.material ?? []].flat()) {
      (m as THREE.SpriteMaterial).map?.dispose();
      m.dispose();
    }
  });
}

function make(item: Item, size: number): Made {
  switch (item.kind) {
    case "points":
      return points(item, size);
    case "lines":
      return line(item);
    case "spheres":
      return spheres(item, size);
    case "arrows":
      return arrows(item, size);
  }
}

const plain = (item: Item) => new THREE.Color(typeof item.colours === "string" ? item.colours : 0xffffff);
/** The last frame stays where there are fewer. */
const at = <T>(frames: readonly T[], frame: number): T => frames[Math.min(frame, frames.length - 1)]!;
const hasColours = (item: Item) => typeof item.colours !== "string" && item.colours.length > 0 && item.colours[0]!.length >= 3 * item.count;
/** Colours are given as on a screen; three.js reckons in linear light. */
function linear(rgb: Float32Array): Float32Array {
  return rgb.map((v) => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92));
}
const seenThrough = (item: Item) => ({ transparent: item.opacity < 1, opacity: item.opacity, depthWrite: item.opacity === 1 });

function points(item: Item, size: number): Made {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(item.frames[0]!.slice(), 3));
  const vertexColors = hasColours(item);
  if (vertexColors) geometry.setAttribute("color", new THREE.BufferAttribute(linear(item.colours[0] as Float32Array), 3));
  const material = new THREE.PointsMaterial({ size: item.radius ? 2 * item.radius : size / 160, vertexColors, color: vertexColors ? 0xffffff : plain(item), map: disc(), alphaTest: 0.5, ...seenThrough(item) });
  const object = new THREE.Points(geometry, material);
  object.frustumCulled = false;
  let last = 0;
  const show = ({ frame, from, count }: Seen) => {
    if (frame !== last) {
      const [position, colour] = [geometry.getAttribute("position"), geometry.getAttribute("color")] as THREE.BufferAttribute[];
      position!.array.set(at(item.frames, frame));
      position!.needsUpdate = true;
      if (colour) {
        colour.array.set(linear(at(item.colours as Float32Array[], frame)));
        colour.needsUpdate = true;
      }
      last = frame;
    }
    geometry.setDrawRange(from, Math.max(0, count - from));
  };
  return { item, object, show };
}

/** A polyline as pieces, so that it can have a width and gaps where a point is missing. */
function line(item: Item): Made {
  const first = item.frames[0]!;
  const finite = (n: number) => Number.isFinite(first[3 * n]! + first[3 * n + 1]! + first[3 * n + 2]!);
  const starts: number[] = [];
  for (let n = 0; n + 1 < item.count; ++n) if (finite(n) && finite(n + 1)) starts.push(n);
  const pairs = (numbers: Float32Array, of: readonly number[]) => {
    const out = new Float32Array(6 * of.length);
    of.forEach((n, k) => out.set(numbers.subarray(3 * n, 3 * n + 6), 6 * k));
    return out;
  };
  const vertexColors = hasColours(item);
  const colours = vertexColors ? (item.colours as Float32Array[]).map(linear) : [];
  const fill = (geometry: LineSegmentsGeometry, of: readonly number[], frame: number) => {
    geometry.setPositions(pairs(at(item.frames, frame), of));
    if (vertexColors) geometry.setColors(pairs(at(colours, frame), of));
  };
  const geometry = new LineSegmentsGeometry();
  fill(geometry, starts, 0);
  const material = new LineMaterial({ linewidth: item.width, vertexColors, color: vertexColors ? 0xffffff : plain(item), ...seenThrough(item) });
  const object = new LineSegments2(geometry, material);
  object.frustumCulled = false;
  let [last, faded] = [0, 0];
  const show = ({ frame, from, count }: Seen) => {
    // Pieces whose two points are there: starts are sorted, so they are a range.
    const [begin, end] = [starts.findIndex((n) => n >= from), starts.findLastIndex((n) => n + 1 < count) + 1];
    const skipped = begin < 0 ? starts.length : begin;
    if (frame !== last || skipped !== faded || (skipped > 0 && end > skipped)) {
      fill(geometry, skipped > 0 ? starts.slice(skipped, end) : starts, frame);
      [last, faded] = [frame, skipped];
    }
    geometry.instanceCount = Math.max(0, end - skipped);
    object.visible &&= geometry.instanceCount > 0;
  };
  return { item, object, show };
}

function instanced(item: Item, geometry: THREE.BufferGeometry): THREE.InstancedMesh {
  const mesh = new THREE.InstancedMesh(geometry, new THREE.MeshStandardMaterial({ color: plain(item), roughness: 0.55, ...seenThrough(item) }), item.count);
  mesh.frustumCulled = false;
  return mesh;
}
function paint(mesh: THREE.InstancedMesh, item: Item, frame: number): void {
  if (!hasColours(item)) return;
  const flat = linear(at(item.colours as Float32Array[], frame));
  for (let n = 0; n < item.count; ++n) mesh.setColorAt(n, new THREE.Color(flat[3 * n]!, flat[3 * n + 1]!, flat[3 * n + 2]!));
  mesh.instanceColor!.needsUpdate = true;
}
const nowhere = new THREE.Matrix4().makeScale(0, 0, 0);

function spheres(item: Item, size: number): Made {
  const radius = item.radius ?? size / 60;
  const fine = radius > size / 8;
  const mesh = instanced(item, new THREE.SphereGeometry(radius, fine ? 48 : 20, fine ? 32 : 14));
  const place = new THREE.Matrix4();
  const show: Made["show"] = ({ frame, from, count }) => {
    const p = at(item.frames, frame);
    for (let n = 0; n < item.count; ++n) {
      const [x, y, z] = [p[3 * n]!, p[3 * n + 1]!, p[3 * n + 2]!];
      mesh.setMatrixAt(n, n < from || !Number.isFinite(x + y + z) ? nowhere : place.makeTranslation(x, y, z));
    }
    paint(mesh, item, frame);
    mesh.instanceMatrix.needsUpdate = true;
    mesh.count = count;
  };
  show({ frame: 0, from: 0, count: item.count });
  return { item, object: mesh, show };
}

/** Shaft and head; the head takes a quarter of the length, the radius is that of the shaft. */
function arrows(item: Item, size: number): Made {
  const radius = item.radius ?? size / 250;
  const shaft = new THREE.CylinderGeometry(1, 1, 0.75, 10).translate(0, 0.375, 0);
  const head = new THREE.ConeGeometry(2.4, 0.25, 14).translate(0, 0.875, 0);
  const parts = [instanced(item, shaft), instanced(item, head)];
  const group = new THREE.Group().add(...parts);
  const up = new THREE.Vector3(0, 1, 0);
  const none = new Float32Array(3 * item.count);
  const show: Made["show"] = ({ frame, from, count }) => {
    const p = at(item.frames, frame);
    const d = item.directions ? at(item.directions, frame) : none;
    for (let n = 0; n < item.count; ++n) {
      const start = new THREE.Vector3(p[3 * n]!, p[3 * n + 1]!, p[3 * n + 2]!);
      const direction = new THREE.Vector3(d[3 * n]!, d[3 * n + 1]!, d[3 * n + 2]!);
      const length = direction.length();
      const there = n >= from && length > 0 && Number.isFinite(length + start.x + start.y + start.z);
      const turn = there ? new THREE.Quaternion().setFromUnitVectors(up, direction.divideScalar(length)) : new THREE.Quaternion();
      const place = there ? new THREE.Matrix4().compose(start, turn, new THREE.Vector3(radius, length, radius)) : nowhere;
      parts.forEach((mesh) => mesh.setMatrixAt(n, place));
    }
    parts.forEach((mesh) => {
      paint(mesh, item, frame);
      mesh.instanceMatrix.needsUpdate = true;
      mesh.count = count;
    });
  };
  show({ frame: 0, from: 0, count: item.count });
  return { item, object: group, show };
}

function disc(): THREE.Texture {
  const c = document.createElement("canvas");
  c.width = c.height = 32;
  const ctx = c.getContext("2d")!;
  ctx.fillStyle = "#fff";
  ctx.beginPath();
  ctx.arc(16, 16, 15, 0, 2 * Math.PI);
  ctx.fill();
  return new THREE.CanvasTexture(c);
}

function words(text: string, colour: string, height: number): THREE.Sprite {
  const c = document.createElement("canvas");
  const ctx = c.getContext("2d")!;
  const font = `500 40px "Inter Variable", system-ui, sans-serif`;
  ctx.font = font;
  c.width = Math.ceil(ctx.measureText(text).width) + 8;
  c.height = 52;
  ctx.font = font;
  ctx.fillStyle = colour;
  ctx.textBaseline = "middle";
  ctx.fillText(text, 4, 26);
  const sprite = new THREE.Sprite(new THREE.SpriteMaterial({ map: new THREE.CanvasTexture(c), depthTest: false }));
  sprite.scale.set((height * c.width) / c.height, height, 1);
  return sprite;
}

/** Floor grid and the axes with round numbers; two of them when the scene is flat. */
function axesFrame(low: Corner, high: Corner, { unit, axes, ink, flat }: Surroundings, size: number): THREE.Group {
  const group = new THREE.Group();
  const marks = [0, 1, 2].map((c) => ticks(low[c]!, high[c]!, 4));
  const lines: number[] = [];
  const text = size / 34;
  const floor = low[2];
  const put = (s: THREE.Sprite, x: number, y: number, z: number) => {
    s.position.set(x, y, z);
    group.add(s);
  };
  for (const x of marks[0]!) {
    lines.push(x, low[1], floor, x, high[1], floor);
    put(words(short(x), ink.muted, text), x, low[1] - size / 28, floor);
  }
  for (const y of marks[1]!) {
    lines.push(low[0], y, floor, high[0], y, floor);
    if (flat) put(words(short(y), ink.muted, text), low[0] - size / 26, y, floor);
    else put(words(short(y), ink.muted, text), high[0] + size / 28, y, floor);
  }
  if (flat) {
    const corners = [[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]], [low[0], low[1]]] as const;
    for (let k = 0; k < 4; ++k) lines.push(...corners[k]!, floor, ...corners[k + 1]!, floor);
  } else {
    for (const z of marks[2]!) {
      lines.push(low[0], low[1], z, low[0] - size / 80, low[1], z);
      put(words(short(z), ink.muted, text), low[0] - size / 24, low[1], z);
    }
    lines.push(low[0], low[1], low[2], low[0], low[1], high[2]);
  }
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(Float32Array.from(lines), 3));
  group.add(new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: new THREE.Color(ink.muted), transparent: true, opacity: 0.35 })));
  const suffix = unit ? ` [${unit}]` : "";
  const name = (c: number) => `${axes?.[c] ?? "xyz"[c]}${suffix}`;
  put(words(name(0), ink.fg, text * 1.15), (low[0] + high[0]) / 2, low[1] - size / 12, floor);
  if (flat) {
    const upright = words(name(1), ink.fg, text * 1.15);
    upright.material.rotation = Math.PI / 2;
    put(upright, low[0] - size / 11, (low[1] + high[1]) / 2, floor);
  } else {
    put(words(name(1), ink.fg, text * 1.15), high[0] + size / 12, (low[1] + high[1]) / 2, floor);
    put(words(name(2), ink.fg, text * 1.15), low[0] - size / 24, low[1], high[2] + size / 24);
  }
  return group;
}
