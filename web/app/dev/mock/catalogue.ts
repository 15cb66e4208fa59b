// SPDX-License-Identifier: Apache-2.0
// What the stand-in server can do: a handful of operations with every kind of port and setting.
import type { CatalogueJson, GraphDoc, OpInfo, PortInfo, SettingInfo } from "../../../packages/graph/src/index.ts";

const port = (name: string, type: string, what: string, more: Partial<PortInfo> = {}): PortInfo => ({ name, type, what, required: true, ...more });
const set = (name: string, kind: SettingInfo["kind"], value: SettingInfo["default"], what: string, more: Partial<SettingInfo> = {}): SettingInfo => ({ name, kind, default: value, what, ...more });

const ops: (Omit<OpInfo, "category"> & { category?: string })[] = [
  {
    id: "io.read_image", title: "Read image", does: "Reads an image with its geometry from a NIfTI, npy or DICOM file.", from: "NIfTI-1.1", tags: ["nifti", "load", "open", "file"],
    help: "Reads `path`. The affine goes along with every map that is made from it.", inputs: [],
    outputs: [port("image", "image", "image (x, y, z[, t])")],
    settings: [set("path", "file_open", "", "file to read", { choices: ["nii", "nii.gz", "npy"] }), set("scale", "boolean", true, "apply slope and intercept")],
  },
  {
    id: "io.read_kspace", title: "Read k-space", does: "Reads raw data from ISMRMRD, cfl or npy.", tags: ["raw", "cfl", "ismrmrd"], inputs: [],
    outputs: [port("kspace", "kspace", "k-space (x, y, z, coil)"), port("header", "record", "protocol header")],
    settings: [set("path", "file_open", "", "file to read", { choices: ["cfl", "h5", "npy"] })],
  },
  {
    id: "io.write_image", title: "Write image", does: "Writes an image as NIfTI with the graph that made it.", effect: true, inputs: [port("image", "image", "image to write")], outputs: [port("path", "text", "file written")],
    settings: [set("path", "file_save", "out.nii.gz", "file to write", { choices: ["nii", "nii.gz"] })],
  },
  {
    id: "sim.shepp_logan", title: "Shepp-Logan phantom", does: "Ellipses in image space, with analytic k-space.", from: "Shepp and Logan, IEEE TNS 21:21 (1974)", tags: ["phantom", "shape"], inputs: [],
    outputs: [port("image", "image", "phantom (x, y, z)"), port("kspace", "kspace", "its Fourier transform")],
    settings: [set("size", "integer", 96, "pixels along x and y", { lower: 16, upper: 512 }), set("slices", "integer", 12, "slices", { lower: 1, upper: 64 }), set("modified", "boolean", true, "contrast of Toft's modified version")],
  },
  {
    id: "sim.noise", title: "Add noise", does: "Adds Gaussian noise, complex for complex data.", inputs: [port("in", "array", "any array")], outputs: [port("out", "array", "the array with noise")],
    settings: [set("sd", "number", 0.05, "standard deviation", { lower: 0.0001, upper: 10, unit: "a.u." }), set("seed", "integer", 1, "seed", { lower: 0, upper: 999999 })],
  },
  {
    id: "recon.fft", title: "Fourier transform", does: "Centred unitary FFT over chosen axes, with zero-pad or crop.", from: "Frigo and Johnson, Proc IEEE 93:216 (2005)", tags: ["fft", "ifft"],
    help: "$$ S(k) = \\frac{1}{\\sqrt N} \\sum_{x} s(x)\\, e^{-2\\pi i k x / N} $$\n\nUnitary, so noise keeps its standard deviation. *Inverse* turns k-space into an image.",
    inputs: [port("in", "array", "complex array")], outputs: [port("out", "array", "its transform")],
    settings: [set("axes", "text", "x y", "axes"), set("direction", "choice", "inverse", "direction", { choices: ["forward", "inverse"] }), set("pad", "integer", 0, "size after zero-padding, 0: as it is", { lower: 0, upper: 1024 })],
  },
  {
    id: "recon.combine", title: "Combine coils", does: "One image from many coils.", from: "Roemer et al., MRM 16:192 (1990); Walsh et al., MRM 43:682 (2000)", help: "Root of sum of squares: $m = \\sqrt{\\sum_c |m_c|^2}$.",
    inputs: [port("coils", "array", "images (x, y, z, coil)", { axes: ["coil"], dtypes: ["c64", "c128"] }), port("maps", "array", "sensitivities", { required: false })], outputs: [port("image", "image", "combined image")],
    settings: [set("method", "choice", "rss", "method", { choices: ["rss", "adaptive", "sense"] })],
  },
  {
    id: "array.cat", title: "Concatenate", does: "Joins arrays along an axis.", inputs: [port("in", "array", "arrays in order", { repeated: true })], outputs: [port("out", "array", "joined")], settings: [set("axis", "text", "t", "axis")],
  },
  { id: "math.binary", title: "Binary operation", does: "a op b, broadcast by axis name.", tags: ["add", "subtract", "multiply", "divide"], inputs: [port("a", "array", "first"), port("b", "array", "second")], outputs: [port("out", "array", "result")], settings: [set("operation", "choice", "add", "operation", { choices: ["add", "subtract", "multiply", "divide", "power", "minimum", "maximum"] })] },
  { id: "math.reduce", title: "Reduce", does: "Mean, sum, median, ... over chosen axes.", inputs: [port("in", "array", "array")], outputs: [port("out", "array", "reduced")], settings: [set("operation", "choice", "mean", "operation", { choices: ["mean", "sum", "median", "sd", "min", "max"] }), set("axes", "text", "t", "axes")] },
  { id: "filter.gaussian", title: "Gaussian blur", does: "Convolves with a Gaussian in physical units.", help: "$g(r) = e^{-r^2 / 2\\sigma^2}$", inputs: [port("in", "image", "image")], outputs: [port("out", "image", "blurred")], settings: [set("sigma", "number", 1.5, "width", { lower: 0, upper: 20, step: 0.1, unit: "mm" }), set("colour", "colour", "#3a86ff", "colour of the outline")] },
  { id: "filter.threshold", title: "Threshold", does: "A mask of what is above a value.", inputs: [port("in", "image", "image")], outputs: [port("mask", "mask", "mask")], settings: [set("value", "number", 0.2, "threshold", { lower: 0, upper: 1 })] },
  { id: "dce.aif", title: "Population AIF", does: "A published arterial input function on the time grid.", from: "Georgiou et al., MRM 81:1955 (2019)", inputs: [port("times", "numbers", "times [s]", { required: false })], outputs: [port("aif", "curve", "concentration in blood [mM]")], settings: [set("model", "choice", "georgiou", "population", { choices: ["georgiou", "parker", "fritz_hansen"] }), set("delay", "number", 0, "bolus delay", { lower: -30, upper: 60, unit: "s" })] },
  {
    id: "dce.fit", title: "Tracer-kinetic fit", does: "Fits a two-compartment model in every voxel.", from: "Tofts et al., JMRI 10:223 (1999)",
    help: "Extended Tofts:\n\n$$ C_t(t) = v_p C_p(t) + K^{trans} \\int_0^t C_p(u)\\, e^{-k_{ep}(t-u)}\\,du $$\n\nwith $k_{ep} = K^{trans}/v_e$. Voxels that fail are NaN and keep their status.",
    inputs: [port("signal", "image", "signal (x, y, z, t)", { axes: ["t"], min_rank: 2 }), port("aif", "curve", "arterial input function"), port("mask", "mask", "voxels to fit", { required: false })],
    outputs: [port("Ktrans", "image", "transfer constant [1/min]"), port("ve", "image", "extravascular volume"), port("vp", "image", "plasma volume"), port("report", "text", "what failed and why")],
    settings: [set("model", "choice", "extended_tofts", "model", { choices: ["tofts", "extended_tofts", "2cxm", "uptake"] }), set("Hct", "number", 0.42, "haematocrit of large vessels", { lower: 0, upper: 1, step: 0.01 }), set("iterations", "integer", 20, "most iterations", { lower: 1, upper: 200 }), set("bounds", "numbers", [0, 5, 0, 1], "lower and upper bounds"), set("note", "text", "", "remark for the report", { multiline: true, optional: true })],
  },
  { id: "stats.roi", title: "ROI statistics", does: "Mean, median and percentiles inside a mask.", inputs: [port("image", "image", "image"), port("mask", "mask", "region")], outputs: [port("table", "table", "one row a label"), port("mean", "number", "mean of all")], settings: [] },
  { id: "source.number", title: "Number", does: "A number.", inputs: [], outputs: [port("out", "number", "the number")], settings: [set("value", "number", 1, "value")] },
  ...["add", "subtract", "multiply", "divide"].map((name) => ({ id: `math.${name}`, title: name[0]!.toUpperCase() + name.slice(1), does: `a ${name} b.`, inputs: [port("a", "array", "first"), port("b", "array", "second", { required: false })], outputs: [port("out", "array", "result")], settings: [set("value", "number", 1, "second, without a wire")] })),
  { id: "phantom.shepp_logan", title: "Shepp-Logan phantom", does: "Head phantom.", inputs: [], outputs: [port("out", "image", "image")], settings: [set("size", "numbers", [128, 128], "voxels")] },
  { id: "source.text", title: "Text", does: "A text.", inputs: [], outputs: [port("text", "text", "the text")], settings: [set("text", "text", "", "text", { multiline: true })] },
  { id: "my.despeckle", title: "Despeckle", does: "A user's operation in Python.", user: true, inputs: [port("in", "image", "image")], outputs: [port("out", "image", "cleaned")], settings: [set("strength", "number", 0.5, "strength", { lower: 0, upper: 1 }), set("fail", "boolean", false, "fail, to see an error")] },
];

export const catalogue: CatalogueJson = {
  types: {
    any: { title: "Anything", colour: "#8a93a3", viewers: ["text"] },
    number: { title: "Number", colour: "#6b7fd7", viewers: ["number"] },
    numbers: { title: "Numbers", colour: "#6b7fd7", viewers: ["curves", "table"] },
    boolean: { title: "Boolean", colour: "#9b8cc4", viewers: ["text"] },
    text: { title: "Text", colour: "#7d8590", viewers: ["text"] },
    list: { title: "List", colour: "#8a93a3", viewers: ["table", "text"] },
    record: { title: "Record", colour: "#8a93a3", viewers: ["text"] },
    array: { title: "Array", colour: "#0f8b8d", viewers: ["image", "curves", "table"] },
    image: { title: "Image", parent: "array", colour: "#2a78c8", viewers: ["image", "volume", "curves"] },
    mask: { title: "Mask", parent: "image", colour: "#c77d0a", viewers: ["image", "volume"] },
    kspace: { title: "k-space", parent: "array", colour: "#a4489c", viewers: ["image"] },
    curve: { title: "Curve", colour: "#c8553d", viewers: ["curves", "table"] },
    table: { title: "Table", colour: "#5d7a3a", viewers: ["table"] },
  },
  categories: { dce: { title: "DCE" }, io: { title: "Files" }, math: { title: "Mathematics" } },
  ops: ops.map((o) => ({ ...o, category: o.category ?? o.id.split(".")[0]! })),
  graphs: [
    { name: "dce", title: "DCE perfusion", about: "Maps of **Ktrans**, ve and vp from a dynamic series." },
    { name: "coils", title: "Coil combination", about: "Root of sum of squares of multi-coil k-space." },
    { name: "five_hundred", title: "500 nodes", about: "To see how the canvas holds." },
    { name: "two_thousand", title: "2,000 nodes", about: "To see how the canvas holds." },
  ],
  extensions: { nii: "io.read_image", "nii.gz": "io.read_image", npy: "io.read_image", cfl: "io.read_kspace", h5: "io.read_kspace" },
};

function many(n: number): GraphDoc {
  const g: Required<Pick<GraphDoc, "nodes" | "wires">> & GraphDoc = { larmor: 1, title: `${n} nodes`, nodes: {}, wires: {} };
  const columns = Math.ceil(Math.sqrt(n * 0.7));
  const kinds = ["filter.gaussian", "math.binary", "sim.noise", "math.reduce", "filter.threshold"];
  for (let i = 0; i < n; i++) {
    const x = i % columns, y = Math.floor(i / columns);
    const op = x === 0 ? "sim.shepp_logan" : kinds[(i * 7 + y) % kinds.length]!;
    g.nodes[`n${i}`] = { op, at: [x * 270, y * 160] };
    if (x === 0) continue;
    const before = g.nodes[`n${i - 1}`]!.op!;
    const out = before === "sim.shepp_logan" ? "image" : before === "filter.threshold" ? "mask" : "out";
    g.wires[`n${i}.${op === "math.binary" ? "a" : "in"}`] = `n${i - 1}.${out}`;
    if (op === "math.binary") g.wires[`n${i}.b`] = y > 0 && g.nodes[`n${i - columns}`]!.op !== "filter.threshold" ? `n${i - columns}.${g.nodes[`n${i - columns}`]!.op === "sim.shepp_logan" ? "image" : "out"}` : `n${i - 1}.${out}`;
  }
  return g;
}

export const examples: Record<string, () => GraphDoc> = {
  dce: () => ({
    larmor: 1, title: "DCE perfusion",
    about: "Maps of **Ktrans**, ve and vp from a dynamic series.",
    nodes: {
      series: { op: "io.read_image", at: [0, 40], settings: { path: "dce/series.nii.gz" }, title: "Dynamic series" },
      aif: { op: "dce.aif", at: [0, 330] },
      mask: { op: "filter.threshold", at: [330, 210], settings: { value: 0.15 } },
      smooth: { op: "filter.gaussian", at: [330, 0] },
      fit: { op: "dce.fit", at: [640, 60] },
      roi: { op: "stats.roi", at: [960, 260] },
      write: { op: "io.write_image", at: [960, 20], settings: { path: "Ktrans.nii.gz" } },
    },
    wires: { "smooth.in": "series.image", "mask.in": "series.image", "fit.signal": "smooth.out", "fit.aif": "aif.aif", "fit.mask": "mask.mask", "write.image": "fit.Ktrans", "roi.image": "fit.Ktrans", "roi.mask": "mask.mask" },
    comments: { c1: { at: [0, -170], size: [560, 150], text: "## Extended Tofts\n\nFits $C_t(t) = v_p C_p(t) + K^{trans} \\int_0^t C_p(u)\\,e^{-k_{ep}(t-u)}du$ in every voxel of the mask." } },
    frames: { f1: { at: [-30, -14], size: [270, 480], title: "Input", colour: "" } },
    settings: { Hct: { node: "fit", setting: "Hct" } },
    dashboards: { main: { title: "Overview", layout: "free", items: [{ kind: "text", markdown: "## DCE perfusion\nChange the haematocrit and watch $K^{trans}$.", x: 0, y: 0, w: 4, h: 2 }, { kind: "setting", node: "fit", setting: "Hct", x: 0, y: 2, w: 4, h: 1 }, { kind: "setting", node: "fit", setting: "model", x: 0, y: 3, w: 4, h: 1 }, { kind: "viewer", port: "fit.Ktrans", x: 4, y: 0, w: 4, h: 6 }, { kind: "viewer", port: "aif.aif", x: 8, y: 0, w: 4, h: 6 }] } },
  }),
  coils: () => ({
    larmor: 1, title: "Coil combination",
    nodes: { raw: { op: "io.read_kspace", at: [0, 0], settings: { path: "kspace/FFE_MS.npy" } }, clean: { graph: "denoise", at: [300, 0], loop: { kind: "repeat", times: 3, feedback: { in: "out" } } }, fft: { op: "recon.fft", at: [600, 0] }, rss: { op: "recon.combine", at: [880, 0], map: { axis: "z" } } },
    wires: { "clean.in": "raw.kspace", "fft.in": "clean.out", "rss.coils": "fft.out" },
    definitions: { denoise: { title: "Denoise", nodes: { noise: { op: "sim.noise", at: [0, 0] }, mean: { op: "math.binary", at: [280, 0] } }, wires: { "mean.a": "noise.out" }, inputs: { in: { type: "array", to: ["noise.in", "mean.b"] } }, outputs: { out: { type: "array", from: "mean.out" } }, settings: { sd: { node: "noise", setting: "sd" } } } },
  }),
  five_hundred: () => many(500),
  two_thousand: () => many(2000),
};

// Graphs come whole.
for (const g of catalogue.graphs ?? []) if (["dce", "coils"].includes(g.name)) g.graph = { ...examples[g.name]!(), dashboards: undefined };
