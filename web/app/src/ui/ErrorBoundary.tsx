// SPDX-License-Identifier: Apache-2.0
import { Component, type ReactNode } from "react";
import { messages, say } from "../errors.ts";

/** Keeps a part that fails from taking the page along. */
export class ErrorBoundary extends Component<{ children: ReactNode; reset?: unknown }, { error: unknown }> {
  override state = { error: null as unknown };
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override componentDidUpdate(before: { reset?: unknown }) {
    if (before.reset !== this.props.reset && this.state.error) this.setState({ error: null });
  }
  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <div className="empty">
        <strong>{messages.failed.text}</strong>
        <span>{say(this.state.error).text}</span>
        <button className="button line" onClick={() => this.setState({ error: null })}>
          Try again
        </button>
      </div>
    );
  }
}
