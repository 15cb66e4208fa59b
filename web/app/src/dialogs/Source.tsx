// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "react";
import { say } from "../errors.ts";
import { useApi } from "../state/hooks.ts";
import { Dialog } from "../ui/Dialog.tsx";

/** The line that "my_op.py:12" names, from 1; 0 when it names none. */
export const lineOf = (at: string): number => Number(/:(\d+)$/.exec(at)?.[1] ?? 0);

/** The file of an operation of a user, at the line that failed. It is looked at here and changed in an editor. */
export function Source({ op, at, onClose }: { op: string; at: string; onClose: () => void }) {
  const api = useApi();
  const [file, setFile] = useState<{ file: string; text: string } | null>(null);
  const [problem, setProblem] = useState("");
  const marked = useRef<HTMLLIElement>(null);
  const line = lineOf(at);
  useEffect(() => {
    let live = true;
    api.json<{ operations: { file: string; text: string }[] }>(`/api/sources?op=${encodeURIComponent(op)}`).then(
      (a) => live && setFile(a.operations[0] ?? null),
      (e: unknown) => live && setProblem(say(e).text),
    );
    return () => void (live = false);
  }, [api, op]);
  // Nothing may be returned: newer browsers give a promise, which is no clean-up.
  useEffect(() => void marked.current?.scrollIntoView({ block: "center" }), [file]);
  return (
    <Dialog title={at || op} width={860} onClose={onClose} testid="source" footer={<span className="muted mono ellipsis">{file?.file}</span>}>
      {problem ? <p>{problem}</p> : (
        <ol className="source-lines">
          {(file?.text ?? "").split("\n").map((text, i) => (
            <li key={i} className={i + 1 === line ? "marked" : ""} ref={i + 1 === line ? marked : undefined} aria-current={i + 1 === line || undefined}>{text || " "}</li>
          ))}
        </ol>
      )}
    </Dialog>
  );
}
