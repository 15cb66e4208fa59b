// SPDX-License-Identifier: Apache-2.0
import "./viewer.css";
import { Component, Suspense, type ErrorInfo, type ReactNode } from "react";
import { messages, ViewerError } from "./errors.ts";
import { useClient, useValue } from "./hooks/data.ts";
import type { ViewerName, ViewerProps } from "./types.ts";
import { Message, Waiting } from "./ui/kit.tsx";
import { inner, viewersFor } from "./viewers.ts";

/** A viewer that breaks takes nothing else with it, and gets another chance with the next value. */
class Fence extends Component<{ children: ReactNode; again: string }, { error: unknown; again: string }> {
  override state = { error: null as unknown, again: this.props.again };
  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }
  static getDerivedStateFromProps(p: { again: string }, s: { again: string }): { error: unknown; again: string } | null {
    return p.again === s.again ? null : { error: null, again: p.again };
  }
  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    console.error(error, info.componentStack);
  }
  override render(): ReactNode {
    return this.state.error ? <Message error={this.state.error} /> : this.props.children;
  }
}

/** The viewer that fits the value of a port; `viewer` chooses among viewersFor(). */
export function Viewer(p: ViewerProps): ReactNode {
  const client = useClient(p.api, p.graphId);
  const { data: info, error, loading } = useValue(client, p.port, p.hash);
  if (error && !info) return <Message error={error} />;
  if (!info) return loading ? <Waiting /> : <Message error={new ViewerError(messages.noValue(p.port))} />;
  const fit = viewersFor(info);
  const name = (p.viewer && (p.viewer in inner) ? p.viewer : fit[0]) as ViewerName;
  if (!fit.includes(name)) return <Message error={new ViewerError(messages.noViewer(name, fit))} />;
  const Inner = inner[name];
  const { api: _api, graphId: _graphId, viewer: _viewer, hash: _hash, ...rest } = p;
  return (
    <Fence again={`${info.hash} ${name}`}>
      <Suspense fallback={<Waiting />}>
        <Inner key={`${p.port} ${name}`} {...rest} client={client} info={info} />
      </Suspense>
    </Fence>
  );
}
