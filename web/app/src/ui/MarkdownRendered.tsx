// SPDX-License-Identifier: Apache-2.0
import "katex/dist/katex.min.css";
import { memo } from "react";
import { renderMarkdown } from "./markdown.ts";

function MarkdownRendered({ text, className }: { text: string; className: string }) {
  return <div className={"markdown " + className} dangerouslySetInnerHTML={{ __html: renderMarkdown(text) }} />;
}
export default memo(MarkdownRendered);
