// SPDX-License-Identifier: Apache-2.0
import * as THREE from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { short, ticks } from "../maths/window.ts";
import { bounds, seenAt, type Item } from "./items.ts";

interface Made {
  item: Item;
  object: THREE.Object3D;
  show: (frame: number, count: number) => void;
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

  set(items: readonly Item[], unit: string, ink: { fg: string; muted: string }): void {
    this.clear();
    const { low, high } = bounds(items);
    this.middle = new THREE.Vector3(...low).add(new THREE.Vector3(...high)).multiplyScalar(0.5);
    this.size = Math.max(new THREE.Vector3(...high).sub(new THREE.Vector3(...low)).length(), 1e-6);
    this.made = items.map((item) => make(item, this.size));
    this.made.forEach((m) => this.scene.add(m.object));
    this.frame = axesFrame(low, high, unit, ink, this.size);
    this.scene.add(this.frame);
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
      this.camera.position.copy(this.middle).add(new THREE.Vector3(0.75, -1.15, 0.7).multiplyScalar(this.size));
    }
    this.camera.near = this.size / 1000;
    this.camera.far = this.size * 50;
    this.camera.updateProjectionMatrix();
    this.controls.update();
    this.ask();
  }

  time(t: number, hidden: readonly number[]): void {
    this.made.forEach(({ item, object, show }, k) => {
      const seen = seenAt(item, t);
      show(seen.frame, seen.count);
      object.visible = !hidden.includes(k);
    });
    this.ask();
  }
  axes(on: boolean): void {
    if (this.frame) this.frame.visible = on;
    this.ask();
  }
  resize(width: number, height: number): void {
    if (width < 1 || height < 1) return;
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
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

const plain = (item: Item) => (typeof item.colours === "string" ? new THREE.Color(item.colours) : new THREE.Color(0xffffff));
function coloured(geometry: THREE.BufferGeometry, item: Item): boolean {
  if (typeof item.colours === "string" || item.colours.length < 3 * item.count) return false;
  geometry.setAttribute("color", new THREE.BufferAttribute(linear(item.colours), 3));
  return true;
}
/** Colours are given as on a screen; three.js reckons in linear light. */
function linear(rgb: Float32Array): Float32Array {
  return rgb.map((v) => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92));
}

function points(item: Item, size: number): Made {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(item.frames[0]!.slice(), 3));
  const vertexColors = coloured(geometry, item);
  const material = new THREE.PointsMaterial({ size: item.radius ? 2 * item.radius : size / 160, vertexColors, color: vertexColors ? 0xffffff : plain(item), map: disc(), alphaTest: 0.5 });
  const object = new THREE.Points(geometry, material);
  object.frustumCulled = false;
  return { item, object, show: moving(geometry, item) };
}

function line(item: Item): Made {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(item.frames[0]!.slice(), 3));
  const vertexColors = coloured(geometry, item);
  const object = new THREE.Line(geometry, new THREE.LineBasicMaterial({ vertexColors, color: vertexColors ? 0xffffff : plain(item) }));
  object.frustumCulled = false;
  return { item, object, show: moving(geometry, item) };
}

function moving(geometry: THREE.BufferGeometry, item: Item): Made["show"] {
  let last = 0;
  return (frame, count) => {
    if (frame !== last) {
      const position = geometry.getAttribute("position") as THREE.BufferAttribute;
      position.array.set(item.frames[frame]!);
      position.needsUpdate = true;
      last = frame;
    }
    geometry.setDrawRange(0, count);
  };
}

function instanced(item: Item, geometry: THREE.BufferGeometry): THREE.InstancedMesh {
  const mesh = new THREE.InstancedMesh(geometry, new THREE.MeshStandardMaterial({ color: plain(item), roughness: 0.55 }), item.count);
  const { colours } = item;
  if (typeof colours !== "string" && colours.length >= 3 * item.count) {
    const flat = linear(colours);
    for (let n = 0; n < item.count; ++n) mesh.setColorAt(n, new THREE.Color(flat[3 * n]!, flat[3 * n + 1]!, flat[3 * n + 2]!));
  }
  mesh.frustumCulled = false;
  return mesh;
}

function spheres(item: Item, size: number): Made {
  const mesh = instanced(item, new THREE.SphereGeometry(item.radius ?? size / 60, 20, 14));
  const place = new THREE.Matrix4();
  const show: Made["show"] = (frame, count) => {
    const p = item.frames[frame]!;
    for (let n = 0; n < item.count; ++n) mesh.setMatrixAt(n, place.makeTranslation(p[3 * n]!, p[3 * n + 1]!, p[3 * n + 2]!));
    mesh.instanceMatrix.needsUpdate = true;
    mesh.count = count;
  };
  show(0, item.count);
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
  const show: Made["show"] = (frame, count) => {
    const p = item.frames[frame]!;
    const d = item.directions ?? new Float32Array(3 * item.count);
    for (let n = 0; n < item.count; ++n) {
      const direction = new THREE.Vector3(d[3 * n]!, d[3 * n + 1]!, d[3 * n + 2]!);
      const length = direction.length();
      const turn = new THREE.Quaternion().setFromUnitVectors(up, length > 0 ? direction.divideScalar(length) : up);
      const place = new THREE.Matrix4().compose(
        new THREE.Vector3(p[3 * n]!, p[3 * n + 1]!, p[3 * n + 2]!),
        turn,
        length > 0 ? new THREE.Vector3(radius, length, radius) : new THREE.Vector3(0, 0, 0),
      );
      parts.forEach((mesh) => mesh.setMatrixAt(n, place));
    }
    parts.forEach((mesh) => {
      mesh.instanceMatrix.needsUpdate = true;
      mesh.count = count;
    });
  };
  show(0, item.count);
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

/** Floor grid and three axes with round numbers. */
function axesFrame(low: number[], high: number[], unit: string, ink: { fg: string; muted: string }, size: number): THREE.Group {
  const group = new THREE.Group();
  const marks = [0, 1, 2].map((c) => ticks(low[c]!, high[c]!, 4));
  const lines: number[] = [];
  const text = size / 34;
  const corner = [low[0]!, low[1]!, low[2]!];
  const put = (s: THREE.Sprite, x: number, y: number, z: number) => {
    s.position.set(x, y, z);
    group.add(s);
  };
  for (const x of marks[0]!) {
    lines.push(x, low[1]!, corner[2]!, x, high[1]!, corner[2]!);
    put(words(short(x), ink.muted, text), x, low[1]! - size / 28, corner[2]!);
  }
  for (const y of marks[1]!) {
    lines.push(low[0]!, y, corner[2]!, high[0]!, y, corner[2]!);
    put(words(short(y), ink.muted, text), high[0]! + size / 28, y, corner[2]!);
  }
  for (const z of marks[2]!) {
    lines.push(low[0]!, low[1]!, z, low[0]! - size / 80, low[1]!, z);
    put(words(short(z), ink.muted, text), low[0]! - size / 24, low[1]!, z);
  }
  lines.push(low[0]!, low[1]!, low[2]!, low[0]!, low[1]!, high[2]!);
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(Float32Array.from(lines), 3));
  group.add(new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: new THREE.Color(ink.muted), transparent: true, opacity: 0.35 })));
  const suffix = unit ? ` [${unit}]` : "";
  put(words(`x${suffix}`, ink.fg, text * 1.15), (low[0]! + high[0]!) / 2, low[1]! - size / 12, corner[2]!);
  put(words(`y${suffix}`, ink.fg, text * 1.15), high[0]! + size / 12, (low[1]! + high[1]!) / 2, corner[2]!);
  put(words(`z${suffix}`, ink.fg, text * 1.15), low[0]! - size / 24, low[1]!, high[2]! + size / 24);
  return group;
}
