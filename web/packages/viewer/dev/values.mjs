// SPDX-License-Identifier: Apache-2.0
// Values that look like those of an MRI graph, made here: phantoms, curves, maps, scenes, tables.

/** {type: "array", dtype, shape, axes, data}: complex data are interleaved. First axis fastest. */
export function array(dtype, shape, axes, fill) {
  const count = shape.reduce((a, b) => a * b, 1);
  const complex = dtype.startsWith("c");
  const types = { u8: Uint8Array, bool: Uint8Array, i16: Int16Array, i32: Int32Array, f32: Float32Array, f64: Float64Array, c64: Float32Array, c128: Float64Array };
  const data = new types[dtype](complex ? 2 * count : count);
  const index = shape.map(() => 0);
  for (let n = 0; n < count; ++n) {
    const v = fill(...index);
    if (complex) {
      data[2 * n] = v[0];
      data[2 * n + 1] = v[1];
    } else data[n] = v;
    for (let k = 0; k < index.length; ++k) {
      if (++index[k] < shape[k]) break;
      index[k] = 0;
    }
  }
  return { array: true, dtype, shape, axes, data };
}

// Shepp and Logan's head with the contrast of Toft: intensity, semi-axes, centre, angle [deg].
const ellipses = [
  [1, 0.69, 0.92, 0, 0, 0],
  [-0.8, 0.6624, 0.874, 0, -0.0184, 0],
  [-0.2, 0.11, 0.31, 0.22, 0, -18],
  [-0.2, 0.16, 0.41, -0.22, 0, 18],
  [0.1, 0.21, 0.25, 0, 0.35, 0],
  [0.1, 0.046, 0.046, 0, 0.1, 0],
  [0.1, 0.046, 0.046, 0, -0.1, 0],
  [0.1, 0.046, 0.023, -0.08, -0.605, 0],
  [0.1, 0.023, 0.023, 0, -0.606, 0],
  [0.1, 0.023, 0.046, 0.06, -0.605, 0],
];
export function head(x, y, z = 0) {
  let sum = 0;
  const shrink = Math.sqrt(Math.max(0, 1 - (z / 0.95) ** 2));
  if (shrink === 0) return 0;
  for (const [v, a, b, cx, cy, deg] of ellipses) {
    const t = (deg * Math.PI) / 180;
    const [dx, dy] = [x / shrink - cx, y / shrink - cy];
    const [u, w] = [dx * Math.cos(t) + dy * Math.sin(t), -dx * Math.sin(t) + dy * Math.cos(t)];
    if ((u / a) ** 2 + (w / b) ** 2 <= 1) sum += v;
  }
  return Math.max(0, sum);
}

let seed = 12345;
const uniform = () => (seed = (1103515245 * seed + 12345) % 2147483648) / 2147483648;
const noise = () => Math.sqrt(-2 * Math.log(uniform() + 1e-12)) * Math.cos(2 * Math.PI * uniform());
const at = (i, n) => (2 * (i + 0.5)) / n - 1;

const parker = (t) => {
  const m = (t - 30) / 60;
  if (m < 0) return 0;
  const g = (A, T, s) => (A / (s * Math.sqrt(2 * Math.PI))) * Math.exp(-((m - T) ** 2) / (2 * s * s));
  return g(0.809, 0.17046, 0.0563) + g(0.33, 0.365, 0.132) + (1.05 * Math.exp(-0.1685 * m)) / (1 + Math.exp(-38.078 * (m - 0.483)));
};

function image(data, spacing, extra = {}) {
  const [dx, dy, dz] = spacing;
  const [nx, ny, nz] = [data.shape[0], data.shape[1], data.shape[2] ?? 1];
  const affine = [
    [-dx, 0, 0, (dx * (nx - 1)) / 2],
    [0, dy, 0, (-dy * (ny - 1)) / 2],
    [0, 0, dz, (-dz * (nz - 1)) / 2],
    [0, 0, 0, 1],
  ];
  return { $type: "image", data, affine, spacing, times: [], meta: { RepetitionTime: 0.005, FlipAngle: 15 }, unit: "", ...extra };
}

export function values() {
  const wheel = () => array("c64", [64, 64], ["x", "y"], (i, j) => [at(i, 64), -at(j, 64)]);
  const complex2d = () => array("c64", [256, 256], ["x", "y"], (i, j) => {
    const [x, y] = [at(i, 256), -at(j, 256)];
    const m = head(x, y) + 0.004 * noise();
    const p = 3 * x * x + 5 * y + 2 * Math.sin(3 * x);
    return [m * Math.cos(p) + 0.01 * noise(), m * Math.sin(p) + 0.01 * noise()];
  });
  const complex4d = () => array("c64", [128, 128, 12, 24], ["x", "y", "z", "t"], (i, j, k, t) => {
    const [x, y, z] = [at(i, 128), -at(j, 128), at(k, 12)];
    const m = head(x, y, z) * (1 + 0.3 * Math.sin((2 * Math.PI * t) / 24));
    const p = 4 * y + (2 * Math.PI * t) / 24 + 3 * z;
    return [m * Math.cos(p), m * Math.sin(p)];
  });
  const cine = () => array("c64", [256, 256, 60], ["x", "y", "t"], (i, j, t) => {
    const [x, y] = [at(i, 256), -at(j, 256)];
    const m = head(x * (1 + 0.06 * Math.sin((2 * Math.PI * t) / 60)), y);
    const p = 6 * x * y + (2 * Math.PI * t) / 60;
    return [m * Math.cos(p), m * Math.sin(p)];
  });
  const t1 = () => array("f32", [96, 112, 64], ["x", "y", "z"], (i, j, k) => 900 * head(at(i, 96), at(j, 112), at(k, 64)) + 9 * noise());
  const labels = () => array("u8", [96, 112, 64], ["x", "y", "z"], (i, j, k) => {
    const [x, y, z] = [at(i, 96), at(j, 112), at(k, 64)];
    const ball = (cx, cy, cz, r) => (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2 < r * r;
    return ball(0.25, 0.1, 0, 0.2) ? 1 : ball(-0.25, 0.1, 0, 0.2) ? 2 : ball(0, -0.4, 0.1, 0.15) ? 3 : 0;
  });
  const times = Array.from({ length: 40 }, (_, t) => 4.5 * t);
  const dce = () => array("i16", [80, 80, 10, 40], ["x", "y", "z", "t"], (i, j, k, t) => {
    const [x, y, z] = [at(i, 80), at(j, 80), at(k, 10)];
    const h = head(x, y, 0.6 * z);
    const lesion = Math.exp(-((x - 0.2) ** 2 + (y + 0.3) ** 2) / 0.02);
    return h > 0 ? 400 * h + 300 * lesion * (1 - Math.exp(-Math.max(0, times[t] - 30) / 40)) + 6 * noise() : Math.abs(6 * noise());
  });
  const grid = [80, 80, 10];
  const map = (f) => array("f32", grid, ["x", "y", "z"], (i, j, k) => {
    const [x, y, z] = [at(i, 80), at(j, 80), at(k, 10)];
    return head(x, y, 0.6 * z) > 0.05 ? f(x, y, z) : NaN;
  });
  const kspace = () => array("c64", [180, 230, 8], ["x", "y", "coil"], (i, j, c) => {
    const [u, v] = [i - 90, j - 115];
    const r = Math.hypot(u, v);
    const m = 50 / (1 + (r / 6) ** 2) + 0.02 * Math.abs(noise());
    const p = (u * Math.cos(c) + v * Math.sin(c)) * 0.7;
    return [m * Math.cos(p) + 0.02 * noise(), m * Math.sin(p) + 0.02 * noise()];
  });
  const T = Float64Array.from({ length: 60 }, (_, i) => 5 * i);
  const curve = () => array("f32", [60, 5], ["t", "voxel"], (t, v) => parker(T[t]) * (0.2 + 0.15 * v) * (1 - Math.exp(-T[t] / (20 + 30 * v))) + 0.004 * noise());
  const fid = () => array("c64", [512], ["sample"], (i) => {
    const d = Math.exp(-i / 140);
    return [d * Math.cos(0.19 * i) + 0.4 * d * Math.cos(0.33 * i) + 0.01 * noise(), d * Math.sin(0.19 * i) + 0.4 * d * Math.sin(0.33 * i) + 0.01 * noise()];
  });
  const arms = 8;
  const spiral = (arm) => array("f32", [3, 200], ["xyz", "sample"], (c, s) => {
    const [r, a] = [s / 200, (2 * Math.PI * 6 * s) / 200 + (2 * Math.PI * arm) / arms];
    return [r * Math.cos(a), r * Math.sin(a), 0.5 * (arm / arms - 0.5)][c] * 100;
  });
  const rows = Array.from({ length: 5000 }, (_, i) => [`subject ${i % 40}`, ["PASL", "PCASL", "CASL"][i % 3], 40 + 20 * uniform(), i % 17 === 0 ? NaN : 0.2 * uniform(), i % 5 === 0 ? "yes" : "no"]);
  const text = "Reconstruction finished.\n12 coils, 3 slices, 89 x 144 samples.\nNoise level 0.0123, condition number 41.7.\n";
  const make = {
    wheel,
    complex2d,
    complex4d,
    cine,
    kspace,
    t1: () => image(t1(), [1.1, 1, 1.6], { unit: "a.u.", title: "T1-weighted" }),
    smoothed: () => image(array("f32", [96, 112, 64], ["x", "y", "z"], (i, j, k) => 880 * head(0.98 * at(i, 96), at(j, 112), at(k, 64))), [1.1, 1, 1.6], { unit: "a.u.", title: "Smoothed" }),
    labels: () => image(labels(), [1.1, 1, 1.6], { title: "Labels" }),
    dce: () => image(dce(), [2.4, 2.4, 5], { times, unit: "a.u.", title: "DCE series" }),
    maps: () => ({
      $type: "maps",
      reference: image(array("f32", [80, 80, 10], ["x", "y", "z"], () => 0), [2.4, 2.4, 5]),
      maps: [
        { name: "Ktrans", symbol: "Ktrans", unit: "1/s", title: "Volume transfer constant", values: map((x, y) => 0.0005 + 0.003 * Math.exp(-((x - 0.2) ** 2 + (y + 0.3) ** 2) / 0.03)), standard_error: map((x) => 0.0002 + 0.0001 * Math.abs(x)) },
        { name: "ve", symbol: "v_e", unit: "1", title: "Extravascular extracellular volume fraction", values: map((x, y, z) => 0.2 + 0.15 * Math.sin(4 * x) * Math.cos(3 * y) + 0.02 * z), standard_error: map((x, y) => 0.01 + 0.02 * y * y) },
        { name: "vp", symbol: "v_p", unit: "1", title: "Plasma volume fraction", values: map((x, y) => 0.03 + 0.02 * Math.cos(5 * x * y)), standard_error: map(() => 0.004) },
      ],
      status: array("u8", grid, ["x", "y", "z"], (i, j, k) => (head(at(i, 80), at(j, 80), 0.6 * at(k, 10)) > 0.05 ? ((i * 7 + j * 3) % 41 === 0 ? 2 : (i * 5 + j * 11) % 97 === 0 ? 5 : 1) : 0)),
    }),
    curves: () => ({ $type: "curve family", data: curve(), times: Array.from(T), unit: "mM", title: "Tissue concentration" }),
    aif: () => ({ $type: "aif", times: Array.from(T), values: Array.from(T, parker), plasma: true, Hct: 0.42, unit: "mM", title: "Arterial input, Parker 2006" }),
    curve: () => ({
      $type: "curve",
      x: array("f64", [60], ["t"], (i) => T[i]),
      data: array("f64", [60, 3], ["t", "series"], (i, k) => parker(T[i]) * [1, 0.6, 0.3][k] * (k ? 1 - Math.exp(-T[i] / (40 * k)) : 1)),
      x_label: "time",
      x_unit: "s",
      label: "concentration",
      unit: "mM",
      series: ["plasma", "measured", "fitted"],
    }),
    fid,
    vector: () => array("f64", [24], ["echo"], (i) => Math.exp(-i / 6)),
    big: () => array("f32", [3000, 2400], ["x", "y"], (i, j) => head(at(i, 3000), -at(j, 2400)) + 0.05 * Math.sin(i / 3) * Math.sin(j / 3)),
    scene: () => ({
      $type: "scene",
      items: [
        ...Array.from({ length: arms }, (_, a) => ({ kind: "lines", positions: spiral(a), colours: ["#4dd2ff", "#ffb000", "#5ee27a", "#ff7ab8"][a % 4], title: `arm ${a}` })),
        { kind: "points", positions: array("f32", [3, 1500], ["xyz", "n"], (c, n) => 40 * Math.sin(n * (c + 1.3) * 12.9898) + 6 * c), colours: array("f32", [3, 1500], ["rgb", "n"], (c, n) => 0.5 + 0.5 * Math.sin(n / 200 + 2 * c)), radius: 1.2 },
        { kind: "spheres", positions: array("f32", [3, 5], ["xyz", "n"], (c, n) => [60 * Math.cos(n * 1.256), 60 * Math.sin(n * 1.256), 40][c]), colours: "#d6336c", radius: 6 },
        { kind: "arrows", positions: array("f32", [3, 40], ["xyz", "n"], (c, n) => [0, 0, -40][c] + (c < 2 ? 0 : n)), directions: array("f32", [3, 40], ["xyz", "n"], (c, n) => [25 * Math.cos(n / 6), 25 * Math.sin(n / 6), 6][c]), colours: "#c9a2ff", radius: 1, times: Array.from({ length: 40 }, (_, n) => n * 0.05) },
      ],
      unit: "mm",
    }),
    spiral: () => {
      const [n, arms] = [480, 12];
      const k = (s, a, c) => {
        const r = s / (n - 1), angle = 2 * Math.PI * (9 * r + a / arms);
        return 63 * r * [Math.cos(angle), Math.sin(angle)][c];
      };
      return { $type: "trajectory", data: array("f64", [n, arms, 2], ["sample", "arm", "d"], k), matrix: [128, 128], fov: [220, 220], times: Array.from({ length: n }, (_, s) => s * 8e-6), source: "spiral, made for looking" };
    },
    cones: () => {
      const [n, arms] = [300, 40];
      const k = (s, a, c) => {
        const r = s / (n - 1), z = Math.cos(Math.PI * (a + 0.5) / arms), angle = 2 * Math.PI * (5 * r + a * 0.618);
        return 31 * r * [Math.sqrt(1 - z * z) * Math.cos(angle), Math.sqrt(1 - z * z) * Math.sin(angle), z][c];
      };
      return { $type: "trajectory", data: array("f32", [n, arms, 3], ["sample", "arm", "d"], k), matrix: [64, 64, 64], fov: [], times: [], source: "" };
    },
    spins: () => {
      const T = 240, n = 9;
      const m = (c, f, t) => {
        const time = t * 1e-4, w = 2 * Math.PI * (f - 4) * 30, decay = Math.exp(-time / 0.02), angle = w * time;
        return [decay * Math.cos(angle), decay * Math.sin(angle), 1 - decay][c];
      };
      const times = Array.from({ length: T }, (_, t) => t * 1e-4);
      return {
        $type: "scene", title: "Spins after a 90 degree pulse", axes: ["Mx", "My", "Mz"], box: [[-1, -1, -1], [1, 1, 1]],
        items: [
          { kind: "spheres", positions: [[0, 0, 0]], radius: 1, opacity: 0.1, colour: "#9fb3c8" },
          { kind: "arrows", title: "spins", positions: array("f32", [3, n], ["xyz", "n"], () => 0), directions: array("f32", [3, n, T], ["xyz", "n", "t"], (c, f, t) => m(c, f, t)), values: Array.from({ length: n }, (_, f) => (f - 4) * 30), map: "coolwarm", value_title: "off-resonance", value_unit: "Hz", radius: 0.014, times },
          { kind: "lines", title: "path of one", positions: array("f32", [3, T], ["xyz", "n"], (c, t) => m(c, 8, t)), colour: "#ffb000", width: 2.5, times, trail: 0.008 },
        ],
      };
    },
    table: () => ({ $type: "table", columns: ["subject", "labelling", "CBF [mL/100g/min]", "sd", "accepted"], rows }),
    text: () => text,
    markdown: () => "# Fit report\n\nExtended Tofts, **12,408 voxels**, 0 failed.\n\n| map | median | unit |\n|---|---|---|\n| Ktrans | 0.061 | 1/min |\n| ve | 0.21 | 1 |\n\n- start values from the linear fit\n- `max_iterations` 50\n",
    json: () => '{"larmor": 1, "nodes": {"read": {"op": "io.read_image", "settings": {"path": "a.nii"}}}, "list": [1, 2.5, null]}',
    number: () => 0.0123456,
    flag: () => true,
    snr: () => ({ array: true, dtype: "f32", shape: [], axes: [], data: Float32Array.of(41.73) }),
    report: () => ({ $type: "report", title: "Report", html: "<!doctype html><style>body{font:14px system-ui;margin:24px}td{padding:2px 12px}</style><h2>DCE report</h2><p>Research use only, not for diagnosis.</p><table><tr><td>Ktrans</td><td>0.061 1/min</td></tr></table><script>parent.document.title='broken'</script>" }),
    picture: () => ({ $type: "picture", data: array("u8", [3, 160, 120], ["channel", "x", "y"], (c, i, j) => (c === 0 ? i * 1.5 : c === 1 ? j * 2 : 128 + 100 * Math.sin(i / 9) * Math.cos(j / 7))) }),
    list: () => [array("f32", [64, 48], ["x", "y"], (i, j) => Math.sin(i / 5) * j), array("f32", [64, 48], ["x", "y"], (i, j) => Math.cos(j / 4) * i)],
    nothing: () => null,
    holes: () => array("f32", [64, 64], ["x", "y"], (i, j) => (Math.hypot(i - 32, j - 32) > 26 || (i > 20 && i < 28 && j > 30) ? NaN : i + j)),
  };
  const made = {};
  // Each is made when it is first asked for.
  return {
    has: (name) => name in make,
    get: (name) => (made[name] ??= { value: make[name]() }).value,
  };
}
