// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { columnsCsv, csv } from "../../src/maths/csv.ts";

it("fields with commas, quotes and line breaks are quoted (RFC 4180)", () => {
  expect(csv(["a,b", 'say "x"'], [["line\nbreak", 1.5]])).toBe('"a,b","say ""x"""\r\n"line\nbreak",1.5\r\n');
});
it("NaN and nothing are empty, negative numbers stay numbers, formulas are texts", () => {
  expect(csv(["v"], [[NaN], [null], [-3], ["-4.5"], ["=SUM(A1)"], [true]])).toBe("v\r\n\r\n\r\n-3\r\n-4.5\r\n'=SUM(A1)\r\ntrue\r\n");
});
it("columns of different lengths stand side by side", () => {
  expect(columnsCsv(["t", "c"], [[0, 1, 2], Float32Array.of(0.5)])).toBe("t,c\r\n0,0.5\r\n1,\r\n2,\r\n");
});
