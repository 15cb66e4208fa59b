// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from "vitest";
import { inputNeeded, type NodeReport, shownState } from "./report.ts";

const inputs = {
  dynamic: { type: "image", what: "a series", to: ["signal.signal"] },
  t1_series: { type: "array", what: "flip angles", required: false, to: ["t1.series"] },
};
const failed = (path: string, error: string, advice = ""): NodeReport => ({ path, state: "error", error, advice });

describe("inputs of a graph that nobody gave", () => {
  test("a required port names its input, and what it is", () => {
    expect(inputNeeded(inputs, failed("signal", "in-port 'signal' gets nothing", "wire something to it"))).toEqual({
      name: "dynamic", message: "input “dynamic” of the graph is not given", advice: "choose a file for it: a series",
    });
  });
  test("a node with more than one way out says which there are", () => {
    const needed = inputNeeded(inputs, failed("t1", "no T1: in-port 'series' gets nothing, 'map' neither", "give a series or a map"));
    expect(needed).toMatchObject({ name: "t1_series", advice: "give a series or a map" });
  });
  test("other failures, other nodes and nodes that did not fail need nothing", () => {
    expect(inputNeeded(inputs, failed("t1", "the series holds 3 volumes and 2 flip angles are given"))).toBeUndefined();
    expect(inputNeeded(inputs, failed("fit", "in-port 'aif' gets nothing"))).toBeUndefined();
    expect(inputNeeded(inputs, { path: "signal", state: "done", error: "in-port 'signal' gets nothing" })).toBeUndefined();
    expect(inputNeeded(undefined, failed("signal", "in-port 'signal' gets nothing"))).toBeUndefined();
  });
  test("what needs a file is not shown as failed; what was computed stays computed", () => {
    expect([shownState("error", {}), shownState("idle", {}), shownState("done", {}), shownState("error", undefined)]).toEqual(["needs", "needs", "done", "error"]);
  });
});
