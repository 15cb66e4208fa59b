// SPDX-License-Identifier: Apache-2.0

/** Every message of this package, in one place: what happened, and what to do. */
export const messages = {
  network: (what: string) => `the server does not answer (${what}); is larmor studio still running?`,
  status: (status: number, what: string) => `the server answered ${status} to ${what}`,
  noValue: (port: string) => `${port} holds no value yet; run the node`,
  noWebgl: () => "this browser gives no WebGL2 context; enable hardware acceleration or use another browser",
  shader: (log: string) => `the image shader does not compile here: ${log}`,
  short: (got: number, need: number) => `the array came with ${got} bytes where ${need} were announced; ask again`,
  dtype: (name: string) => `element type '${name}' is unknown here; bool u8 i16 i32 f32 f64 c64 c128 are known`,
  noArray: (type: string) => `a value of type '${type}' holds no array to show; choose another viewer`,
  noCurve: (type: string) => `nothing in a value of type '${type}' can be drawn as a curve`,
  noScene: () => "the scene holds no items; give it points, lines, spheres or arrows",
  noTrajectory: () => "the trajectory holds no positions of two or three coordinates",
  positions: (shape: number[]) => `positions have shape (${shape.join(", ")}) where (3, n) is needed`,
  noViewer: (name: string, fit: string[]) => `no viewer called '${name}' fits; these do: ${fit.join(", ")}`,
  grids: (a: number[], b: number[]) => `shapes differ (${a.join(" x ")} and ${b.join(" x ")}); stretched`,
  axes: (want: string[], have: string[]) => `axes ${want.join(", ")} are not in the other value (${have.join(", ")})`,
  save: (what: string) => `could not save ${what}`,
} as const;

export class ViewerError extends Error {
  readonly advice: string;
  readonly status: number;
  constructor(message: string, advice = "", status = 0) {
    super(message);
    this.advice = advice;
    this.status = status;
  }
}

export const textOf = (e: unknown): string =>
  e instanceof ViewerError && e.advice ? `${e.message}\n${e.advice}` : e instanceof Error ? e.message : String(e);

export const isAbort = (e: unknown): boolean => e instanceof DOMException && e.name === "AbortError";
