// SPDX-License-Identifier: Apache-2.0
import { withoutRounds } from "@larmor/graph";
import { lazy, Suspense } from "react";
import { messages } from "../errors.ts";
import { useApi, usePortReport, useSession } from "../state/hooks.ts";
import { ErrorBoundary } from "../ui/ErrorBoundary.tsx";

const Viewer = lazy(() => import("@larmor/viewer").then((m) => ({ default: m.Viewer })));

export interface ValueViewProps {
  port: string;  // whole path
  title?: string;
  viewer?: string;
  options?: Record<string, unknown>;
  onOptions?: (options: Record<string, unknown>) => void;
  linked?: string;
  plain?: boolean;
  ports?: { port: string; title: string; hash?: string | null }[];
}

/** What a port holds, in a viewer that fits; follows the runs. */
export function ValueView({ port, options, ...more }: ValueViewProps) {
  const session = useSession();
  const api = useApi();
  const report = usePortReport(withoutRounds(port));
  if (!report?.hash) {
    return (
      <div className="empty" data-testid="no-value">
        <strong>{messages.noValue.text}</strong>
        <span>{messages.noValue.advice}</span>
        <button className="button line" onClick={() => void session.runTo([port.slice(0, port.lastIndexOf("."))])}>Run to here</button>
      </div>
    );
  }
  return (
    <ErrorBoundary reset={report.hash}>
      <Suspense fallback={<div className="empty">Loading viewer…</div>}>
        <Viewer api={api} graphId={session.id} port={port} hash={report.hash} options={options} {...more} />
      </Suspense>
    </ErrorBoundary>
  );
}
