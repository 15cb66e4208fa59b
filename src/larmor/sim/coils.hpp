// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>

namespace larmor::sim {

/// Receive sensitivities of circular loops around the field of view, by the law of Biot and Savart.
struct CoilRing {
  int n_coils = 8;
  double distance = 1.5;  // of the loops' centres from the middle; the field of view is [-1, 1)
  double radius = 0.7;    // of the loops
  int rings = 1;          // stacked along z, loops of neighbours turned by half a step (3D only)
};

/// conj(Bx + i By) of a unit current in each loop, c64 (x, y, coil) or (x, y, z, coil), scaled so that the root of the
/// sum of squares is 1 in the middle. Errors   Errc::shape unless 2 or 3 extents, Errc::range unless 1 to 256 coils,
/// positive lengths, and loops that stay outside the field of view's inner half
/// Source   Jackson, Classical Electrodynamics, 3rd ed., eq. 5.4; reciprocity: Hoult, Concepts Magn. Reson. 12:173
/// (2000)
Array coil_sensitivities(const CoilRing& ring, const Shape& shape, const Cancel* cancel = nullptr);

}  // namespace larmor::sim
