// SPDX-License-Identifier: Apache-2.0
import { httpApi } from "@larmor/graph";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";

/** Names the server that the page talks to. */
function App() {
  const [text, setText] = useState("");
  useEffect(() => {
    httpApi()
      .json<{ larmor: string }>("/api/version")
      .then((v) => setText(`Larmor ${v.larmor}`))
      .catch((e: Error) => setText(e.message));
  }, []);
  return <main>{text}</main>;
}

createRoot(document.getElementById("root")!).render(<App />);
