// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dsc/basis.hpp>
#include <span>
#include <vector>

namespace larmor::dsc {

/// Areas and first moments of curves as weighted sums of their samples, from one frame before `arrival` on.
struct CurveArea {
  std::vector<double> weight, since;    // [s]; time since the arrival [s]
  double aif_area = 0, aif_moment = 0;  // of the input
  std::vector<float> weights() const { return {weight.begin(), weight.end()}; }
  std::vector<float> moment_weights() const;
};
/// Errors   Errc::numeric when the area of the input is not above 0
CurveArea curve_area(std::span<const double> times, std::span<const double> aif, double arrival, Rule rule);

}  // namespace larmor::dsc
