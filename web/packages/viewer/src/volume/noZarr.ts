// SPDX-License-Identifier: Apache-2.0
// Stands in for "zarrita" (resolve.alias in the bundler's settings): NiiVue can read Zarr stores over the network, which
// viewers of values never do, and its decompressors would be a third of the bundle.
const absent = (): never => {
  throw new Error("this build of the viewer reads no Zarr stores");
};
export class FetchStore {
  constructor() {
    absent();
  }
}
export const [get, open, root, slice, withConsolidated] = [absent, absent, absent, absent, absent];
