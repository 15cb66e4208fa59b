// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/data/image.hpp>
#include <vector>

namespace larmor::seg {

struct LabelVolume {
  int label = 0;
  std::int64_t voxels = 0;
  double mm3 = 0;
  double mL() const { return mm3 * 1e-3; }
};

/// Volume of one voxel from the affine, |det|: right for oblique and sheared grids too [mm3].
double voxel_volume(const Affine& affine);

/// Voxels and volume of every label from 1 to `highest`, also those that do not occur.
/// Errors   Errc::shape unless 3-D; Errc::range for a label above `highest` or one that is no whole number >= 0;
/// Errc::numeric when the affine is singular
std::vector<LabelVolume> label_volumes(const Image& labels, int highest = 2);

/// Asymmetry of two sides, 200 (left - right) / (left + right) [%]; NaN when both are 0.
double asymmetry_index(double left, double right);

}  // namespace larmor::seg
