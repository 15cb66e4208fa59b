// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/array.hpp>
#include <span>
#include <vector>

namespace larmor::asl {

/// Difference images that do not look like the others of their timing.
struct Outliers {
  std::vector<std::uint8_t> keep;  // [difference]
  std::vector<double> mean, sd;    // over the mask
  std::vector<double> score;       // largest distance of mean or sd from the median of the group, in robust sd
};

/// A difference image is left out when the mean over the mask, or its spatial sd, lies further than
/// `threshold` robust standard deviations (1.4826 times the median distance of all images from the median of their
/// group) from the others of its group. Groups of fewer than 4, and half of a group, are never touched.
///
/// differences (x, y, z, n) f32; mask one a voxel, or none for all; group one a difference
/// Errors   Errc::shape, Errc::range (threshold not above 0)
/// Source   Tan et al., JMRI 29:1134 (2009), with medians for means
Outliers find_outliers(const Array& differences, std::span<const std::uint8_t> mask, std::span<const int> group,
                       double threshold = 3.5);

}  // namespace larmor::asl
