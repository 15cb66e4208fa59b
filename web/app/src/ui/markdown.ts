// SPDX-License-Identifier: Apache-2.0
import katex from "katex";
import MarkdownIt from "markdown-it";

// Texts come from graph files, also from strangers' ones: no HTML passes, links go through markdown-it's check and images, which would
// load from elsewhere, become links.
const md = new MarkdownIt({ html: false, linkify: false, typographer: false });
md.disable("image");

const tex = (source: string, display: boolean) => katex.renderToString(source, { displayMode: display, throwOnError: false, trust: false, strict: "ignore", output: "htmlAndMathml", maxExpand: 200 });

// $$ ... $$ as a block of its own, over lines.
md.block.ruler.before("fence", "tex_block", (state, start, end, silent) => {
  const line = (n: number) => state.src.slice(state.bMarks[n]! + state.tShift[n]!, state.eMarks[n]);
  if (!line(start).startsWith("$$")) return false;
  let body = line(start).slice(2), next = start;
  while (!body.trimEnd().endsWith("$$") || body.trim() === "") {
    next++;
    if (next >= end) return false;
    body += "\n" + line(next);
  }
  if (silent) return true;
  const token = state.push("tex_block", "math", 0);
  token.content = body.trimEnd().slice(0, -2);
  token.map = [start, next + 1];
  state.line = next + 1;
  return true;
}, { alt: ["paragraph", "reference", "blockquote", "list"] });
md.renderer.rules.tex_block = (tokens, i) => tex(tokens[i]!.content, true);

// $ ... $ within a line: no blank after the first or before the last dollar, so that prices stay prices.
md.inline.ruler.after("escape", "tex_inline", (state, silent) => {
  const { src, pos } = state;
  if (src[pos] !== "$") return false;
  const double = src[pos + 1] === "$";
  const from = pos + (double ? 2 : 1);
  if (!double && /\s/.test(src[from] ?? " ")) return false;
  let to = from;
  for (;;) {
    to = src.indexOf(double ? "$$" : "$", to);
    if (to < 0) return false;
    if (src[to - 1] !== "\\") break;
    to++;
  }
  if (to === from || (!double && (/\s/.test(src[to - 1]!) || /\d/.test(src[to + 1] ?? "")))) return false;
  if (!silent) state.push(double ? "tex_block" : "tex_inline", "math", 0).content = src.slice(from, to);
  state.pos = to + (double ? 2 : 1);
  return true;
});
md.renderer.rules.tex_inline = (tokens, i) => tex(tokens[i]!.content, false);

md.renderer.rules.link_open = (tokens, i, options, _env, self) => {
  tokens[i]!.attrSet("target", "_blank");
  tokens[i]!.attrSet("rel", "noopener noreferrer");
  return self.renderToken(tokens, i, options);
};

export const renderMarkdown = (text: string): string => md.render(text);
