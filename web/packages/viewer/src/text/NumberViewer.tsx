// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from "react";
import { isLeaf, textField } from "../api/tree.ts";
import { useLoaded } from "../hooks/data.ts";
import { short } from "../maths/window.ts";
import { Message, Waiting } from "../ui/kit.tsx";
import type { InnerProps } from "../viewers.ts";

/** One number (or yes or no), large. */
export default function NumberViewer({ client, port, info, title }: InnerProps): ReactNode {
  const value = info.value;
  const leaf = isLeaf(value) ? value : null;
  const got = useLoaded(leaf && `${port} ${info.hash}`, async (signal) => {
    const a = await client.array(port, info.hash, { path: leaf!.path, axes: leaf!.axes }, signal);
    return a.complex ? [a.data[0]!, a.data[1]!] : [a.data[0]!];
  });
  if (got.error) return <Message error={got.error} />;
  if (leaf && !got.data) return <Waiting />;
  const text = leaf
    ? got.data!.length === 2
      ? `${short(got.data![0]!, 6)} ${got.data![1]! < 0 ? "−" : "+"} ${short(Math.abs(got.data![1]!), 6)}i`
      : short(got.data![0]!, 6)
    : typeof value === "boolean"
      ? value
        ? "yes"
        : "no"
      : typeof value === "number"
        ? short(value, 6)
        : "–";
  return (
    <div className="lmv lmv-big">
      <output title={typeof value === "number" ? String(value) : undefined}>{text}</output>
      <span className="lmv-muted">{textField(value, "unit")}</span>
      {title && <span className="lmv-muted">{title}</span>}
    </div>
  );
}
