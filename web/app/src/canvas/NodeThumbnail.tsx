// SPDX-License-Identifier: Apache-2.0
import { lazy, memo, Suspense } from "react";
import { useApi, useSession } from "../state/hooks.ts";
import { ErrorBoundary } from "../ui/ErrorBoundary.tsx";

const Thumbnail = lazy(() => import("@larmor/viewer").then((m) => ({ default: m.Thumbnail })));

/** A small picture of what an out-port holds. */
export const NodeThumbnail = memo(function NodeThumbnail({ port, hash }: { port: string; hash: string }) {
  const session = useSession();
  const api = useApi();
  return (
    <ErrorBoundary reset={hash}>
      <Suspense fallback={null}>
        <Thumbnail api={api} graphId={session.id} port={port} hash={hash} size={[170, 92]} />
      </Suspense>
    </ErrorBoundary>
  );
});
