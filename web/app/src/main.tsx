// SPDX-License-Identifier: Apache-2.0
import "./theme/fonts.css";
import "./theme/tokens.css";
import "./theme/base.css";
import "./ui/ui.css";
import { createRoot } from "react-dom/client";
import { Reading } from "./dashboard/Reading.tsx";
import { App } from "./shell/App.tsx";
import { ErrorBoundary } from "./ui/ErrorBoundary.tsx";

const dashboard = /^\/d\/([^/]+)\/([^/]+)\/?$/.exec(location.pathname);
createRoot(document.getElementById("root")!).render(<ErrorBoundary>{dashboard ? <Reading graph={decodeURIComponent(dashboard[1]!)} name={decodeURIComponent(dashboard[2]!)} /> : <App />}</ErrorBoundary>);
