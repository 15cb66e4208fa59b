// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>

/// Where a grid lies that was made from another by cutting, padding, flipping, resampling or reordering its axes.
namespace larmor {

/// Affine of a grid whose voxel (0, 0, 0) lies at `first` of the old one [voxels] and whose voxels are `step` old
/// voxels apart: crop (first, 1), flip (n - 1, -1), every second voxel (0, 2), fewer voxels over the same field of
/// view see resized().
Affine regridded(const Affine& affine, const std::array<double, 3>& first, const std::array<double, 3>& step);

/// The first voxel and the step along an axis of n voxels that becomes one of m over the same field of view: the outer
/// edges stay, so the centre of the first voxel moves.
struct GridStep {
  double first = 0, step = 1;
};
GridStep resized(std::int64_t n, std::int64_t m);

/// Axes in another order; order[i] is the old axis at the new place i.
Affine permuted(const Affine& affine, const std::array<int, 3>& order);

/// Grid of given voxel sizes [mm] over the field of view of another, with the number of voxels rounded to nearest (one
/// at least) and the centre of the field of view kept. Errors   Errc::range unless the sizes are positive
struct Grid {
  Affine affine;
  std::array<std::int64_t, 3> size{1, 1, 1};
};
Grid with_spacing(const Grid& grid, const std::array<double, 3>& spacing);

/// Rotation by angles [rad] about the R, A and S axes of the world (in this order, right-handed) through a point [mm].
Affine rotation(const std::array<double, 3>& angles, const std::array<double, 3>& about);

}  // namespace larmor
