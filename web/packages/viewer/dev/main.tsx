// SPDX-License-Identifier: Apache-2.0
// ?ports=a,b&viewer=image&theme=dark&w=460&h=420&linked=k&options={}&thumbs=1&compare=p: a page for looking and testing.
import { useState, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { Thumbnail, Viewer, type PlainOptions } from "../src/index.ts";

const q = new URLSearchParams(location.search);
const all = "complex2d,t1,dce,maps,kspace,curves,aif,fid,scene,table,text,markdown,json,number,report,picture,holes,list".split(",");
const ports = (q.get("ports") ?? all.join(",")).split(",");
document.documentElement.dataset["theme"] = q.get("theme") ?? "light";
document.body.style.setProperty("--w", `${q.get("w") ?? 460}px`);
document.body.style.setProperty("--h", `${q.get("h") ?? 420}px`);
const api = { base: "", token: null };
const graph = q.get("graph") ?? "demo";
const others = [...new Set([...ports, ...(q.get("with") ?? "t1,smoothed,labels").split(",")])].map((port) => ({ port, title: port }));

function Cell({ port }: { port: string }): ReactNode {
  const [options, setOptions] = useState<PlainOptions>(JSON.parse(q.get("options") ?? "{}") as PlainOptions);
  const [hash, setHash] = useState("0");
  Object.assign(window, { [`options_${port}`]: options, [`rehash_${port}`]: setHash });
  return (
    <div className="cell" data-port={port}>
      <Viewer
        api={api}
        graphId={graph}
        port={port}
        hash={hash}
        viewer={q.get("viewer") ?? undefined}
        options={options}
        onOptions={setOptions}
        linked={q.get("linked") ?? undefined}
        ports={others}
        title={port}
        plain={q.get("plain") === "1"}
      />
    </div>
  );
}
createRoot(document.getElementById("root")!).render(
  q.get("thumbs") === "1" ? (
    <div className="row">
      {ports.map((port) => (
        <Thumbnail key={port} api={api} graphId={graph} port={port} size={[96, 72]} />
      ))}
    </div>
  ) : (
    <div className="grid">
      {ports.map((port, k) => (
        <Cell key={k} port={port} />
      ))}
    </div>
  ),
);
