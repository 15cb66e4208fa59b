// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <span>
#include <vector>

namespace larmor::ivim {

enum class Average {
  none,
  mean,      // of repeats, and of directions: the powder average
  geometric  // of directions: exp(-b D) with the mean diffusivity, which is a third of the trace
};

/// A series with one sample a b-value, rising.
struct Averaged {
  Array signal;                // (voxels..., b) f32
  std::vector<double> b;       // [s/mm2] mean of those that became one
  std::vector<double> counts;  // volumes in each
};
/// Makes one of the volumes whose b-values lie within `tolerance` [s/mm2] of the smallest of them. Magnitudes below
/// 1e-6 of the largest count as that in geometric means. `none` keeps all as they are, each counted once. data
/// (voxels..., b) real.
/// Errors   Errc::shape; Errc::range (b; geometric means of other numbers of directions at other b)
Averaged average_b(const Array& data, std::span<const double> b, Average how, double tolerance = 1.0);

}  // namespace larmor::ivim
