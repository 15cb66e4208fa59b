// SPDX-License-Identifier: Apache-2.0
import { aggregate, type Level, type NodeReport, type PortReport, splitPort } from "@larmor/graph";
import type { Keyed } from "./keyed.ts";

/** Reports of nodes, with those of the groups around them: the server tells of plain groups only by their nodes. */
export class GroupReports {
  private told = new Set<string>();                    // paths that the server reports itself
  private inside = new Map<string, Set<string>>();     // group -> nodes in it, at any depth, that the server reports

  constructor(private readonly reports: Keyed<NodeReport>) {}

  clear() {
    this.reports.replace([]);
    this.told.clear();
    this.inside.clear();
  }
  add(report: NodeReport, levelAt: (path: string[]) => Level) {
    this.told.add(report.path);
    this.reports.set(report.path, report);
    const keys = report.path.split("/");
    for (let n = keys.length - 1; n > 0; n--) {
      const group = keys.slice(0, n).join("/");
      let inside = this.inside.get(group);
      if (!inside) this.inside.set(group, (inside = new Set()));
      inside.add(report.path);
      if (this.told.has(group)) continue;
      const level = levelAt(keys.slice(0, n));
      if (level.path.length < n) continue;
      const outputs: Record<string, PortReport> = {};
      for (const [name, o] of Object.entries(level.graph.outputs ?? {})) {
        const [node, port] = splitPort(o.from ?? "");
        const value = this.reports.get(`${group}/${node}`)?.outputs?.[port];
        if (value) outputs[name] = value;
      }
      const nodes = [...inside].filter((path) => level.graph.nodes?.[path.slice(group.length + 1).split("/")[0]!]).flatMap((path) => this.reports.get(path) ?? []);
      this.reports.set(group, aggregate(group, nodes, outputs));
    }
  }
}
