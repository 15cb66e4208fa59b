// SPDX-License-Identifier: Apache-2.0
import { useMemo, type ReactNode } from "react";
import { messages, ViewerError } from "../errors.ts";
import { Message } from "../ui/kit.tsx";
import type { InnerProps } from "../viewers.ts";
import { ImageView } from "./ImageView.tsx";
import { imageSource, planarLeaves } from "./source.ts";

/** Arrays and images. */
export default function ImageViewer(p: InnerProps): ReactNode {
  const { client, port, info } = p;
  const path = typeof p.options?.["path"] === "string" ? p.options["path"] : undefined;
  const leaves = useMemo(() => planarLeaves(info), [info]);
  const source = useMemo(() => imageSource(client, port, info, path), [client, port, info, path]);
  if (!source) return <Message error={new ViewerError(messages.noArray(info.type))} />;
  return (
    <ImageView
      source={p.title ? { ...source, title: source.title || p.title } : source}
      leaves={leaves}
      options={p.options}
      onOptions={p.onOptions}
      linked={p.linked}
      ports={p.ports}
      plain={p.plain}
    />
  );
}
