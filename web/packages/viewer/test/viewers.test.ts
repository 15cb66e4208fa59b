// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { curveRecords, curveSource, defaultAlong, defaultFamily } from "../src/curves/source.ts";
import { mapsOf } from "../src/maps/source.ts";
import { csv } from "../src/maths/csv.ts";
import { order, parseCsv, tableOf, withNumbers } from "../src/table/rows.ts";
import { guess } from "../src/text/guess.ts";
import type { ArrayLeaf, Tree } from "../src/types.ts";
import { pictureAxes, viewersFor } from "../src/viewers.ts";

const leaf = (shape: number[], axes: string[], dtype = "f32", path = ""): ArrayLeaf => ({ array: true, path, dtype: dtype as ArrayLeaf["dtype"], shape, axes });
const first = (value: Tree, type = "") => viewersFor({ type, value })[0];

describe("the viewer that fits", () => {
  it("arrays by their axes", () => {
    expect(first(leaf([64, 64], ["x", "y"]))).toBe("image");
    expect(first(leaf([64], ["t"]))).toBe("curves");
    expect(first(leaf([1, 64], ["x", "t"]))).toBe("curves");
    expect(first(leaf([], []))).toBe("number");
    expect(first(leaf([8, 8, 3], ["x", "y", "rgb"], "u8"))).toBe("picture");
    expect(first(leaf([8, 8, 3], ["x", "y", "z"], "u8"))).toBe("image");
    expect(pictureAxes(leaf([4, 8, 6], ["channel", "x", "y"], "u8"))).toEqual(["x", "y", "channel"]);
    expect(viewersFor({ type: "array", value: leaf([9, 9], ["x", "y"]) })).toContain("table");
  });
  it("records by their type, others by what is in them", () => {
    const image = (shape: number[], affine: Tree) => ({ $type: "image", data: leaf(shape, ["x", "y", "z", "t"].slice(0, shape.length)), affine });
    expect(viewersFor({ type: "image", value: image([9, 9, 9], []) }).slice(0, 2)).toEqual(["image", "volume"]);
    expect(viewersFor({ type: "image", value: image([9, 9, 1], []) })).not.toContain("volume");
    expect(viewersFor({ type: "maps", value: { $type: "maps", maps: [] } })).toEqual(["maps", "volume", "text"]);
    expect(first({ times: [0, 1], values: [1, 2] }, "aif")).toBe("curves");
    expect(first({ columns: ["a"], rows: [[1]] }, "whatever")).toBe("table");
    expect(first({ a: leaf([9, 9], ["x", "y"]) }, "unknown")).toBe("image");
    expect(first({ a: 1 }, "unknown")).toBe("text");
  });
  it("plain values and lists", () => {
    expect([first(3), first(true), first("x"), first(null), first("<!doctype html><p>", "text")]).toEqual(["number", "number", "text", "text", "report"]);
    expect([first([1, 2, 3]), first(["a", "b"]), first([{ a: 1 }]), first([])]).toEqual(["curves", "table", "table", "text"]);
  });
});

describe("curves", () => {
  it("run along time, one for each index of a short axis", () => {
    expect(defaultAlong(leaf([80, 80, 10, 40], ["x", "y", "z", "t"]))).toBe("t");
    expect(defaultAlong(leaf([8, 300], ["coil", "k"]))).toBe("k");
    expect(defaultFamily(leaf([60, 5], ["t", "voxel"]), "t")).toBe("voxel");
    expect(defaultFamily(leaf([60, 500], ["t", "voxel"]), "t")).toBeNull();
    expect(defaultFamily(leaf([80, 80, 8, 40], ["x", "y", "coil", "t"]), "t")).toBe("coil");
  });
  it("are found in records, lists of records, and fields beside times", () => {
    expect(curveRecords({ times: [0, 1], values: [3, 4], unit: "mM", title: "AIF" })).toEqual([{ label: "AIF", x: [0, 1], y: [3, 4], unit: "mM", xLabel: "t [s]" }]);
    expect(curveRecords([{ x: [1], y: [2] }, { x: [1], y: [3], name: "b" }]).map((c) => c.label)).toEqual(["0", "b"]);
    const side = curveRecords({ times: [0, 1], Cp: leaf([2], ["t"], "f32", "Cp"), Ct: leaf([2], ["t"], "f32", "Ct") });
    expect(side.map((c) => c.label)).toEqual(["Cp", "Ct"]);
    const several = curveRecords({ $type: "curve", x: leaf([9], ["t"], "f64", "x"), data: leaf([9, 2], ["t", "series"], "f64", "data"), x_label: "time", x_unit: "s", label: "concentration", unit: "mM", series: ["plasma"] });
    expect(several.map((c) => [c.label, c.column, c.xLabel, c.yLabel])).toEqual([["plasma", 0, "time [s]", "concentration"], ["series 1", 1, "time [s]", "concentration"]]);
    expect(curveSource({ type: "list", describe: "", hash: "", bytes: 0, value: [1, 2, 3] })?.kind).toBe("records");
    expect(curveSource({ type: "text", describe: "", hash: "", bytes: 0, value: "no" })).toBeNull();
  });
});

describe("tables", () => {
  it("of every form a record may have", () => {
    const want = { columns: ["a", "b"], rows: [[1, "x"], [2, "y"]] };
    expect(tableOf({ columns: ["a", "b"], rows: [[1, "x"], [2, "y"]] })).toEqual(want);
    expect(tableOf({ columns: [{ name: "a", unit: "s" }, "b"], rows: [[1, "x"]] })?.columns).toEqual(["a [s]", "b"]);
    expect(tableOf([{ a: 1, b: "x" }, { a: 2, b: "y" }])).toEqual(want);
    expect(tableOf({ rows: [{ a: 1, b: "x" }, { a: 2, b: "y" }] })).toEqual(want);
    expect(tableOf({ columns: { a: [1, 2], b: ["x", "y"] } })).toEqual(want);
    expect(tableOf({ a: leaf([2], ["n"], "f32", "a"), b: ["x", "y"] }, { a: [1, 2] })).toEqual(want);
    expect(tableOf({ rows: [[1], [1, 2, 3]] })?.columns).toEqual(["1", "2", "3"]);
    expect(tableOf("no")).toBeNull();
  });
  it("numbers written as texts become numbers by column; names with leading zeros stay", () => {
    const t = withNumbers({ columns: ["id", "v", "name"], rows: [["007", "1.5", "a"], ["012", "", "2"], ["100", "-3e2", ""], ["1", "nan", "b"]] });
    expect(t.rows.map((r) => r[1])).toEqual([1.5, null, -300, NaN]);
    expect(t.rows.map((r) => r[0])).toEqual(["007", "012", "100", "1"]);
    expect(t.rows[1]![2]).toBe("2");
  });
  it("a file that csv() wrote is read back as it was", () => {
    const rows = [["a,b", 'say "x"'], ["line\r\nbreak", ""], ["", "end"]];
    expect(parseCsv(csv(["p", "q"], rows))).toEqual([["p", "q"], ...rows]);
    expect(parseCsv("a,b\n1,2")).toEqual([["a", "b"], ["1", "2"]]);
    expect(parseCsv("")).toEqual([]);
  });
  it("sort numbers by size, texts as people do, and what is empty last either way", () => {
    const rows = [["s10", 3], ["s9", NaN], ["s1", -1], ["S2", null]] as (string | number | null)[][];
    expect(order(rows, 0, false)).toEqual([2, 3, 1, 0]);
    expect(order(rows, 0, true)).toEqual([0, 1, 3, 2]);
    expect(order(rows, 1, false)).toEqual([2, 0, 1, 3]);
    expect(order(rows, 1, true)).toEqual([0, 2, 1, 3]);
  });
});

it("maps keep name, unit, error and status; empty errors count as none", () => {
  const maps = mapsOf({
    $type: "maps",
    reference: { $type: "image", affine: [[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 5, 0], [0, 0, 0, 1]] },
    maps: [
      { name: "Ktrans", unit: "1/s", title: "Volume transfer constant", values: leaf([4, 4, 2], ["x", "y", "z"], "f32", "maps/0/values"), standard_error: leaf([4, 4, 2], ["x", "y", "z"]) },
      { name: "ve", unit: "1", values: leaf([4, 4, 2], ["x", "y", "z"]), standard_error: leaf([0], ["x"]) },
      { name: "broken" },
    ],
    status: leaf([4, 4, 2], ["x", "y", "z"], "u8", "status"),
  });
  expect(maps?.entries.map((e) => [e.name, e.unit, e.error !== null])).toEqual([["Ktrans", "1/s", true], ["ve", "1", false]]);
  expect(maps?.status?.path).toBe("status");
  expect(maps?.geometry?.spacing).toEqual([2, 2, 5]);
  expect(mapsOf({ maps: [] })).toBeNull();
  // In the unit that people read, when the server says which: numbers, errors and their extremes.
  const values = { ...leaf([4, 4, 2], ["x", "y", "z"]), min: 0, max: 0.005 };
  const [shown] = mapsOf({ maps: [{ name: "Ktrans", unit: "1/s", shown_unit: "1/min", shown_factor: 60, values, standard_error: values }] })!.entries;
  expect([shown!.unit, shown!.factor, shown!.values.max, shown!.error!.max, shown!.values.min]).toEqual(["1/min", 60, 0.3, 0.3, 0]);
});

it("texts are taken for what they look like", () => {
  expect([guess('{"a": 1}'), guess("{not json"), guess("# Title\ntext"), guess("- a\n- b"), guess("a **b** c"), guess("plain, 3 * 4 * 5")]).toEqual(["json", "plain", "markdown", "markdown", "markdown", "plain"]);
});
