// SPDX-License-Identifier: Apache-2.0
import { Download } from "lucide-react";
import type { ReactNode } from "react";
import { textField } from "../api/tree.ts";
import { IconButton } from "../ui/kit.tsx";
import { fileName, saveText } from "../ui/save.ts";
import type { InnerProps } from "../viewers.ts";

// Nothing from elsewhere, no scripts, no forms: a report is words, tables and pictures that it brings itself.
const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:">`;

/** HTML text in a frame of its own that may run nothing and reach nothing. */
export default function ReportViewer({ info, port, title, plain }: InnerProps): ReactNode {
  const html = typeof info.value === "string" ? info.value : textField(info.value, "html", "text", "content");
  return (
    <div className={`lmv lmv-report${plain ? " lmv-plain" : ""}`}>
      {!plain && (
        <div className="lmv-toolbar">
          <span className="lmv-muted">{textField(info.value, "title") || title}</span>
          <span className="lmv-space" />
          <IconButton icon={Download} title="Save the page" onClick={() => saveText(html, fileName(port, "html"), "text/html;charset=utf-8")} />
        </div>
      )}
      <iframe title={title ?? "Report"} sandbox="" referrerPolicy="no-referrer" srcDoc={policy + html} />
    </div>
  );
}
