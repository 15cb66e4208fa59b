// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>

namespace larmor::ivim {

struct SegmentedOptions {
  double b_threshold = 200;        // [s/mm2] perfusion is taken as gone from here on
  fit::ParamSettings params = {};  // bounds of f, D and D_star
  bool scalar = false;             // one number a lane: slow, for comparison
};

/// The bi-exponential model in two steps: D and f from the signals at high b, then D_star alone from what they leave.
/// Less precise than a full fit, but robust and fast; f is biased by what perfusion is left at the threshold.
///
/// data, b, mask   as grid_posterior()
/// Result   S0, f, D, D_star. A voxel with a signal <= 0 at high b is out_of_range; R2, AICc and iterations are those
/// of
///          no iteration (NaN, 0)
/// Errors   Errc::shape; Errc::range (no b = 0; fewer than two different b-values at or above the threshold; none
/// between;
///          more than 128 samples; empty mask); Errc::unknown_name for a parameter
/// Source   Le Bihan et al., Radiology 168:497 (1988); Federau et al., Radiology 265:874 (2012)
fit::CurveFit segmented_fit(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask = {},
                            const SegmentedOptions& options = {}, const Progress& progress = {},
                            const Cancel* cancel = nullptr);

}  // namespace larmor::ivim
