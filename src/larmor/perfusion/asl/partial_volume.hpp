// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <span>
#include <vector>

namespace larmor::asl {

struct PartialVolumeOptions {
  std::array<int, 3> radius{2, 2, 0};  // voxels either side: 5 x 5 in the slice
  double least = 0.05;                 // fraction of a tissue below which a voxel has no value for it
};

/// Signals of pure tissues by linear regression: in a window about each voxel, of voxels in the mask, every volume is
/// taken as the sum of tissue fraction x signal of the tissue, with signals that are constant over the window.
///
/// series      (x, y, z[, n]) real
/// fractions   one a tissue (x, y, z), 0..1, two or three of them
/// Result      one a tissue, f32 of the shape of the series; NaN where the fraction is below `least`, outside the mask,
///             and where the window does not tell the tissues apart (unless one of them is below `least` on the mean
///             of the window: then it is left out)
/// Errors      Errc::shape, Errc::range (radius, number of tissues, check_fractions)
/// Source      Asllani et al., MRM 60:1362 (2008)
std::vector<Array> pure_tissues(const Array& series, std::span<const Array> fractions,
                                std::span<const std::uint8_t> mask, const PartialVolumeOptions& options = {},
                                const Progress& progress = {}, const Cancel* cancel = nullptr);

/// Resampling may leave 0..1 a little. Errors   Errc::range for values that are no fractions, naming `what`
void check_fractions(std::span<const float> values, const char* what);

}  // namespace larmor::asl
