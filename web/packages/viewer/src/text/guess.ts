// SPDX-License-Identifier: Apache-2.0
export type TextKind = "plain" | "markdown" | "json";

/** JSON when it parses to an object or list; Markdown when lines begin or words look like it; plain otherwise. */
export function guess(text: string): TextKind {
  const trimmed = text.trim();
  if (/^[{[]/.test(trimmed) && trimmed.length < 2_000_000) {
    try {
      JSON.parse(trimmed);
      return "json";
    } catch {
      // not JSON after all
    }
  }
  const marks = /^(#{1,6} \S|[-*] \S|\d+\. \S|> |```|\|.*\|)/m;
  return marks.test(text) || /\*\*\S[^*\n]*\*\*|\[[^\]\n]+\]\([^)\s]+\)/.test(text) ? "markdown" : "plain";
}
