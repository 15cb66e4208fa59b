// SPDX-License-Identifier: Apache-2.0
// Colours of text can be told from what they lie on: contrast of WCAG 2.1, level AA.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../src/theme/tokens.css", import.meta.url), "utf8");
const themes = Object.fromEntries(
  [...css.matchAll(/\[data-theme="(\w+)"\]\s*\{([^}]*)\}/g)].map((m) => [m[1]!, Object.fromEntries([...m[2]!.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((c) => [c[1]!, c[2]!]))]),
);
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}
const contrast = (a: string, b: string) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
};

test("black on white is 21", () => expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 6));
describe.each(Object.entries(themes))("%s", (_, c) => {
  const places = ["canvas", "panel", "panel-2", "field", "node", "node-head"];
  test.each(["text", "text-2", "muted", "faint", "accent", "error"])("%s can be read everywhere", (name) => {
    for (const place of places) expect(contrast(c[name]!, c[place]!), `${name} on ${place}`).toBeGreaterThanOrEqual(4.5);
  });
  test.each(["idle", "running", "done", "cached", "warning", "error", "quiet"])("the state %s can be read on nodes and panels", (name) => {
    for (const place of ["node", "panel"]) expect(contrast(c[name]!, c[place]!), `${name} on ${place}`).toBeGreaterThanOrEqual(4.5);
  });
  test("messages and the main button", () => {
    expect(contrast(c["error"]!, c["error-soft"]!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(c["warning"]!, c["warning-soft"]!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(c["accent-text"]!, c["accent"]!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(c["text-2"]!, c["accent-soft"]!)).toBeGreaterThanOrEqual(4.5);
  });
});
