// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>
#include <vector>

namespace larmor::dce {

/// Model-free description of the uptake curve of V voxels; times are from bolus arrival.
struct Descriptors {
  std::vector<float> iAUC60, iAUC90, iAUC180;  // [mM s]; NaN when the curve ends earlier
  std::vector<float> TTP;                      // [s] arrival to peak
  std::vector<float> peak;                     // [mM]
  std::vector<float> wash_in, wash_out;        // [mM/s] arrival to peak; peak to end (negative: washing out)
};
/// concentration f32 (voxels..., t); arrival [s]. Errors   Errc::shape, Errc::range
Descriptors describe_uptake(const Array& concentration, std::span<const double> times, double arrival,
                            std::span<const std::uint8_t> mask = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::dce
