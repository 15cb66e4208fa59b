// SPDX-License-Identifier: Apache-2.0
import { addNode, type Api, ApiError, httpApi, moveItems, removeItems, setSetting } from "@larmor/graph";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { studio, until } from "./server.ts";

let s: Awaited<ReturnType<typeof studio>>;
let id: string;
beforeEach(async () => {
  s = await studio();
  const g = s.mock.open({ example: "dce" });
  g.auto = false;
  id = g.id;
});
afterEach(() => s.close());
const server = () => s.mock.graph(id);
const settled = (session: { state: { sending: boolean; rev: number } }) => until(() => !session.state.sending && session.state.rev === server().rev);

describe("edits", () => {
  test("show at once, arrive, and are undone by the server", async () => {
    const { session } = await s.open(id, "a");
    session.edit("set Hct", (g) => setSetting(g, "fit", "Hct", 0.5));
    expect(session.state.doc.nodes!.fit!.settings!.Hct).toBe(0.5);
    expect(server().doc.nodes!.fit!.settings).toBeUndefined();
    await settled(session);
    expect(server().doc).toEqual(session.state.doc);
    expect(session.state.undo).toBe("set Hct");
    await session.undo();
    await until(() => session.state.doc.nodes!.fit!.settings === undefined);
    expect(session.state.redo).toBe("set Hct");
    await session.redo();
    await until(() => session.state.doc.nodes!.fit!.settings?.Hct === 0.5);
  });

  test("steps there and back are taken in their order, however late the server answers", async () => {
    const slow = async <T,>(answer: Promise<T>) => {
      await Promise.allSettled([answer, new Promise((r) => setTimeout(r, 100))]);
      return answer;
    };
    const inner = httpApi(s.base);
    const { session, told } = await s.open(id, "a", { ...inner, json: async (path, init) => slow(inner.json(path, init)) });
    for (const Hct of [0.5, 0.6]) {
      session.edit("set Hct", (g) => setSetting(g, "fit", "Hct", Hct));
      await settled(session);
    }
    const steps = [session.undo(), session.undo(), session.redo()];
    await Promise.all(steps);
    expect(told).toEqual([]);
    await until(() => session.state.doc.nodes!.fit!.settings?.Hct === 0.5);
    expect(session.state.redo).toBe("set Hct");
    await Promise.all([session.redo(), session.undo(), session.undo(), session.redo(), session.redo()]);
    expect(told).toEqual([]);
    await until(() => session.state.doc.nodes!.fit!.settings?.Hct === 0.6);
    expect(session.state.redo).toBe(null);
    await Promise.all([session.undo(), session.undo(), session.undo()]);
    expect(told.map((m) => m.text)).toEqual(["There is nothing to undo"]);
  });

  test("a drag of a slider is few calls and one step of undo", async () => {
    let calls = 0;
    const api = counting(httpApi(s.base), () => calls++);
    const { session } = await s.open(id, "a", api);
    for (let i = 0; i < 60; i++) session.edit("set Hct", (g) => setSetting(g, "fit", "Hct", 0.3 + i / 1000), "drag1");
    await settled(session);
    expect(server().doc.nodes!.fit!.settings!.Hct).toBeCloseTo(0.359, 9);
    // The first goes at once, all others wait for it together.
    expect(calls).toBe(2);
    expect(server().undos).toHaveLength(1);
    await session.undo();
    await until(() => session.state.doc.nodes!.fit!.settings === undefined);
  });

  test("two windows stay in step, whoever edits", async () => {
    const a = (await s.open(id, "a")).session, b = (await s.open(id, "b")).session;
    a.edit("move", (g) => moveItems(g, { nodes: { fit: [1, 2] } }));
    b.edit("add", (g) => addNode(g, { op: "math.binary" }, [5, 5]).graph);
    b.edit("set Hct", (g) => setSetting(g, "fit", "Hct", 0.4));
    await settled(a);
    await settled(b);
    expect(a.state.doc).toEqual(server().doc);
    expect(b.state.doc).toEqual(server().doc);
    expect(a.state.doc.nodes!.fit).toMatchObject({ at: [1, 2], settings: { Hct: 0.4 } });
    expect(a.state.clients).toBe(2);
  });

  test("what the server refuses is taken back, and said", async () => {
    const { session, told } = await s.open(id, "a");
    // Somebody takes the node away, and the news is still on its way.
    const listeners = [...server().listeners];
    server().listeners.clear();
    server().patch([{ op: "remove", path: "/nodes/fit" }], "delete");
    session.edit("set Hct", (g) => setSetting(g, "fit", "Hct", 0.5));
    expect(session.state.doc.nodes!.fit).toBeDefined();
    await until(() => told.length > 0);
    listeners.forEach((l) => server().listeners.add(l));
    expect(told[0]!.text).toMatch(/“set Hct” no longer applies/);
    await until(() => session.state.doc.nodes!.fit === undefined);
    expect(session.state.sending).toBe(false);
  });

  test("an edit that changes nothing is not sent", async () => {
    const { session } = await s.open(id, "a");
    expect(session.edit("move", (g) => moveItems(g, {}))).toBe(false);
    expect(server().rev).toBe(1);
  });

  test("what has gone is no longer chosen", async () => {
    const a = (await s.open(id, "a")).session, b = (await s.open(id, "b")).session;
    a.select({ nodes: ["fit", "aif"] });
    b.edit("delete", (g) => removeItems(g, { nodes: ["fit"] }));
    await settled(b);
    await settled(a);
    expect(a.state.selected.nodes).toEqual(["aif"]);
  });
});

describe("a connection that breaks", () => {
  test("comes back and is in step", async () => {
    const a = (await s.open(id, "a")).session;
    s.sockets[0]!.terminate();
    await until(() => !a.state.online);
    server().patch([{ op: "replace", path: "/title", value: "meanwhile" }], "title");
    await until(() => a.state.online && a.state.doc.title === "meanwhile");
    a.edit("title", (g) => ({ ...g, title: "later" }));
    await settled(a);
    expect(server().doc.title).toBe("later");
  });

  test("an edit made while the server cannot be reached is kept and sent later", async () => {
    const gate = { open: true };
    const a = (await s.open(id, "a", gated(httpApi(s.base), gate))).session;
    gate.open = false;
    a.edit("set Hct", (g) => setSetting(g, "fit", "Hct", 0.5));
    await until(() => !a.state.online);
    // What was typed stays to be seen, and more of it too; the last is what holds.
    expect(a.state.doc.nodes!.fit!.settings!.Hct).toBe(0.5);
    a.edit("set Hct", (g) => setSetting(g, "fit", "Hct", 0.6));
    a.edit("title", (g) => ({ ...g, title: "away" }));
    expect(a.state.doc).toMatchObject({ title: "away", nodes: { fit: { settings: { Hct: 0.6 } } } });
    expect(server().doc.nodes!.fit!.settings).toBeUndefined();
    gate.open = true;  // events were there all the time: it finds back by itself
    await until(() => a.state.online && server().doc.title === "away");
    await settled(a);
    expect(server().doc.nodes!.fit!.settings!.Hct).toBe(0.6);
    expect(a.state.doc).toEqual(server().doc);
    expect(server().undos.map((u) => u.label)).toEqual(["set Hct", "set Hct", "title"]);
  });

  test("an edit whose answer was lost is not done twice", async () => {
    const gate = { open: true, after: false };
    const a = (await s.open(id, "a", gated(httpApi(s.base), gate))).session;
    gate.after = true;  // the server gets it, the answer is lost
    const before = Object.keys(server().doc.nodes!).length;
    a.edit("add", (g) => addNode(g, { op: "math.binary" }, [5, 5]).graph);
    await until(() => s.sockets.length === 2);  // it connects anew
    expect(Object.keys(a.state.doc.nodes!)).toHaveLength(before + 1);
    gate.after = false;
    await until(() => a.state.online);
    await settled(a);
    expect(Object.keys(server().doc.nodes!)).toHaveLength(before + 1);
    expect(server().undos).toHaveLength(1);
  });
});

describe("runs", () => {
  test("reports draw only the node that they are about", async () => {
    const { session } = await s.open(id, "a");
    await until(() => server().running === null && session.state.run?.state !== "running");
    server().emit({ t: "clients", n: 7 });  // events keep their order: those of that run have come
    await until(() => session.state.clients === 7);
    await new Promise((r) => setTimeout(r, 0));  // and are drawn
    let fit = 0, aif = 0;
    session.reports.subscribe("fit", () => fit++);
    session.reports.subscribe("aif", () => aif++);
    server().emit({ t: "node", node: { path: "fit", state: "running", progress: 0.5 } });
    await until(() => fit === 1);
    expect(aif).toBe(0);
    expect(session.reports.get("fit")!.progress).toBe(0.5);
  });
  test("a run goes from waiting to done, its summary and log arrive", async () => {
    const { session } = await s.open(id, "a");
    await until(() => server().running === null);
    await session.runAll(true);
    await until(() => session.state.run?.state === "done" && session.state.runs > 0);
    await until(() => session.reports.get("write")?.state === "done");
    expect(session.reports.get("fit")!.state).toBe("warning");
    expect(session.state.log.some((l) => l.text.includes("run"))).toBe(true);
    expect(session.state.memory.resident).toBeGreaterThan(0);
    // Who opens the graph later is told how that ended.
    const { session: later } = await s.open(id, "b");
    await until(() => later.state.run !== null);
    expect(later.state.run).toMatchObject({ run: session.state.run!.run, state: session.state.run!.state, seconds: session.state.run!.seconds });
  });
});

describe("what is looked at", () => {
  test("an unpinned probe makes room, pinned ones stay", async () => {
    const { session } = await s.open(id, "a");
    session.probe("fit.Ktrans");
    session.probe("fit.ve");
    expect(session.state.probes.map((p) => p.port)).toEqual(["fit.ve"]);
    session.changeProbe(session.state.probes[0]!.key, { pinned: true });
    session.probe("aif.aif");
    session.probe("fit.vp");
    expect(session.state.probes.map((p) => p.port)).toEqual(["fit.ve", "fit.vp"]);
  });
});

function counting(api: Api, count: () => void): Api {
  return { ...api, json: (path, init) => (init?.method === "PATCH" && count(), api.json(path, init)) };
}
function gated(api: Api, gate: { open: boolean; after?: boolean }): Api {
  return {
    ...api,
    json: async <T>(path: string, init?: RequestInit) => {
      if (!gate.open) throw new ApiError(0, "offline", "the server does not answer");
      const answer = await api.json<T>(path, init);
      if (gate.after && init?.method === "PATCH") throw new ApiError(0, "offline", "the server does not answer");
      return answer;
    },
  };
}

describe("groups", () => {
  test("are in the state of their nodes, and show what their outputs show", async () => {
    const { session } = await s.open(id, "a");
    await until(() => server().running === null && session.state.run?.state !== "running");
    const definitions = { part: { nodes: { blur: { op: "filter.gaussian" }, cut: { op: "filter.threshold" } }, wires: { "cut.in": "blur.out" }, outputs: { mask: { type: "mask", from: "cut.mask" } } } };
    session.editDocument("add group", (d) => ({ ...d, nodes: { ...d.nodes, part: { graph: "part", at: [0, 0] } }, definitions }));
    await settled(session);
    const out = { type: "mask", describe: "mask", hash: "1" };
    server().emit({ t: "node", node: { path: "part/blur", state: "done", seconds: 1 } });
    server().emit({ t: "node", node: { path: "part/cut", state: "running", progress: 0.5 } });
    await until(() => session.reports.get("part")?.state === "running");
    server().emit({ t: "node", node: { path: "part/cut", state: "done", seconds: 2, outputs: { mask: out } } });
    await until(() => session.reports.get("part")?.state === "done");
    expect(session.reports.get("part")).toMatchObject({ seconds: 3, outputs: { mask: out } });
  });
});
