// SPDX-License-Identifier: Apache-2.0
import type { Api } from "@larmor/graph";
import { useEffect, useState } from "react";

/** Where to ask. */
export interface PortFacts {
  api: Api;
  graph: string;
  port: string;
}
export interface Facts {
  shape?: number[];
  axes?: string[];
  min?: number | null;
  max?: number | null;
  unit?: string;
}
const known = new Map<string, Facts>();

interface Leaf {
  array: true;
  shape: number[];
  axes: string[];
  min?: number | null;
  max?: number | null;
}
/** The first array in a value, and the unit that the value tells. */
export function factsOf(tree: unknown): Facts {
  let unit = "";
  const find = (t: unknown, depth: number): Leaf | undefined => {
    if (typeof t !== "object" || t === null || depth > 4) return undefined;
    if ((t as Leaf).array === true) return t as Leaf;
    if (!Array.isArray(t) && typeof (t as { unit?: unknown }).unit === "string") unit ||= (t as { unit: string }).unit;
    for (const v of Object.values(t).slice(0, 20)) {
      const leaf = find(v, depth + 1);
      if (leaf) return leaf;
    }
    return undefined;
  };
  const leaf = find(tree, 0);
  return { ...(leaf ? { shape: leaf.shape, axes: leaf.axes, min: leaf.min, max: leaf.max } : {}), unit };
}

/** Shape, range and unit of a value, asked for when somebody points at it; once for each content. */
export function usePortFacts(where: PortFacts | undefined, hash: string | undefined): Facts | null {
  const [facts, setFacts] = useState<Facts | null>((hash && known.get(hash)) || null);
  useEffect(() => {
    if (!where || !hash || known.has(hash)) return;
    const abort = new AbortController();
    where.api
      .json<{ value: unknown }>(`/api/graphs/${where.graph}/value?port=${encodeURIComponent(where.port)}`, { signal: abort.signal })
      .then((v) => {
        known.set(hash, factsOf(v.value));
        setFacts(known.get(hash)!);
      })
      .catch(() => undefined);  // the tooltip shows what it has
    return () => abort.abort();
  }, [where?.port, hash]);  // eslint-disable-line react-hooks/exhaustive-deps
  return facts;
}
