// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/core/cancel.hpp>
#include <larmor/data/image.hpp>
#include <larmor/seg/padding.hpp>
#include <vector>

namespace larmor::seg {

/// How an image becomes what a network sees.
struct Preprocess {
  double spacing = 1;                // of the grid of training [mm]
  double low = 0.5, high = 99.5;     // percentiles at which values are cut before mean and deviation are taken
  std::int64_t largest = 4'000'000;  // voxels
  int smallest = 8;                  // along each axis
};

/// An image on the grid of training: axes R, A, S, cubic voxels, robustly normalised.
struct Prepared {
  std::array<int, 3> size{};
  std::vector<float> values;  // mean 0 and deviation 1 of the cut values
  Affine affine;
  double cut_share = 0;  // of voxels at the upper cut beyond what the percentile says: saturation
  Padding padding;       // of the image; what was prepared is the box of all other voxels
};

/// Errors   Errc::shape (not 3-D, too small, too large: both numbers), Errc::type (complex), Errc::numeric (NaN or
/// infinite values, with how many), Errc::range (all voxels the same)
Prepared prepare(const Image& image, const Preprocess& how = {}, const Cancel* cancel = nullptr);

/// Labels on the grid of `prepared`, nearest voxel. Errors   as label_volumes
std::vector<std::uint8_t> prepare_labels(const Image& labels, const Prepared& prepared, int highest = 2);

/// Values (x, y, z[, class]) on the grid of `prepared` brought to the grid of `image`, linear.
Array back_to(const Image& image, const Prepared& prepared, const Array& values, const Cancel* cancel = nullptr);

/// Values cut at two percentiles, then mean 0 and deviation 1. Does not depend on the scale and offset of the input.
/// Returns the share of voxels at or above the upper cut. Errors   Errc::range (constant)
double normalise(std::vector<float>& values, double low, double high);

}  // namespace larmor::seg
