// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/core/array.hpp>
#include <vector>

namespace larmor::seg {

/// The surface between a mask and what is outside it, in elements: one around every corner of voxels whose 8 voxels are
/// not all alike. An element is the polygon through the middles of the lines between centres of voxels that the
/// surface crosses.
///
/// where   bool, (x + 1, y + 1, z + 1) of the grid: element (i, j, k) lies at the corner before voxel (i, j, k)
/// area    of each element of `where` in turn [square of the unit of spacing]
/// Source  Lorensen and Cline, Comput. Graph. 21:163 (1987); where four voxels around a line touch only across it,
/// those
///         of the mask are parted
struct Surface {
  Array where;
  std::vector<double> area;
};
/// `mask` is 3-D and boolean, contiguous on the CPU; beyond it is outside.
Surface surface_of(const Array& mask, const std::array<double, 3>& spacing);

/// Area of the element of 8 voxels: bit x + 2 y + 4 z of `inside` is voxel (x, y, z), 0 or 1 along each axis.
double element_area(std::uint8_t inside, const std::array<double, 3>& spacing);

/// Share of the area of both surfaces that lies within `tolerance` of the other surface (NSD, surface Dice). Both masks
/// have voxels. Source   Nikolov et al., JMIR 23:e26151 (2021)
double surface_dice(const Array& a, const Array& b, const std::array<double, 3>& spacing, double tolerance);

}  // namespace larmor::seg
