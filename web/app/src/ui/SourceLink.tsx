// SPDX-License-Identifier: Apache-2.0
import { FileCode2 } from "lucide-react";
import { openDialog } from "../state/app.ts";

/** "my_op.py:12", to the line itself. A span, because it stands in buttons too. */
export function SourceLink({ op, at }: { op: string; at: string }) {
  const open = () => openDialog({ kind: "source", op, at });
  return (
    <span className="source-link mono" role="link" tabIndex={0} title="Show this line" onClick={(e) => { e.stopPropagation(); open(); }} onKeyDown={(e) => { if (e.key === "Enter") { e.stopPropagation(); open(); } }} data-testid="source-link">
      <FileCode2 size={12} /> {at}
    </span>
  );
}
