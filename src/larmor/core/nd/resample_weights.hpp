// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/nd/resample.hpp>
#include <vector>

namespace larmor::nd {

/// What one position takes of the elements of an axis.
struct Taps {
  static constexpr int most = 8;
  int n = 0;
  std::array<std::int64_t, most> at{};
  std::array<double, most> weight{};
};

/// Weights at `position` of an axis of n elements, without antialiasing. n = 0 taps: outside, to be filled.
Taps taps_at(Interpolation kind, double position, std::int64_t n, bool fill_outside);

/// The kernels as functions of the distance, and where they end.
double kernel(Interpolation kind, double x);
double kernel_radius(Interpolation kind);

}  // namespace larmor::nd
