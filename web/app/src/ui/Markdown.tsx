// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense } from "react";

const Rendered = lazy(() => import("./MarkdownRendered.tsx"));

/** Markdown with TeX between dollars. The renderer is loaded when the first text is shown. */
export function Markdown({ text, className = "" }: { text: string; className?: string }) {
  return (
    <Suspense fallback={<div className={"markdown muted " + className}>{text.slice(0, 200)}</div>}>
      <Rendered text={text} className={className} />
    </Suspense>
  );
}
