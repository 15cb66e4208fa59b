// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>
#include <vector>

namespace larmor::dce {

/// Model-free description of the uptake curve of V voxels; times are from bolus arrival. NaN outside the mask, where a
/// value is not finite, and where a quantity does not exist.
struct Descriptors {
  std::vector<float> iAUC60, iAUC90, iAUC180;  // [mM s] linear between frames; NaN when the curve ends earlier
  std::vector<float> TTP;                      // [s] arrival to the highest frame
  std::vector<float> peak;                     // [mM]
  std::vector<float> wash_in, wash_out;  // [mM/s] arrival to peak; straight line fitted from peak to end (negative:
                                         // washing out); NaN when the peak is the first or the last
};
/// concentration real (voxels..., t) [mM]; arrival [s] between the first and the last time.
/// Errors   Errc::shape, Errc::range
Descriptors describe_uptake(const Array& concentration, std::span<const double> times, double arrival,
                            std::span<const std::uint8_t> mask = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::dce
