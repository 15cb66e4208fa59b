// SPDX-License-Identifier: Apache-2.0
import { ChevronRight } from "lucide-react";
import { type ReactNode } from "react";

const open = new Map<string, boolean>();

/** A part of the inspector that folds; it stays as it was left. */
export function Fold({ title, children, more, start = true }: { title: string; children: ReactNode; more?: ReactNode; start?: boolean }) {
  return (
    <details className="fold" open={open.get(title) ?? start} onToggle={(e) => open.set(title, e.currentTarget.open)}>
      <summary>
        <ChevronRight size={13} /> {title} {more && <span className="more">{more}</span>}
      </summary>
      <div className="fold-body">{children}</div>
    </details>
  );
}
