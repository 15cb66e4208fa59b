// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>

namespace larmor::dsc {

/// Gamma-variate bolus, C = peak (1 + z)^alpha exp(-alpha z) with z = skew (t - t_peak) / width and alpha = 1 / skew^2,
/// 0 where z <= -1. Parameters peak, t_peak, width and skew.
const fit::CurveModel& gamma_variate();

/// First passes without what comes after: fits of a gamma variate to the frames up to where the mean curve has fallen
/// to `cut` of its peak, drawn over all frames.
///
/// curves  f32 (voxels..., t); arrival [s] of the mean curve
/// Result  the same shape; NaN where the fit failed (its status says why)
/// Errors  Errc::shape, Errc::range (cut; fewer than 5 frames up to there)
struct FirstPass {
  Array curves;
  std::vector<fit::FitStatus> status;
  int frames = 0;  // that were fitted
};
FirstPass first_pass(const Array& curves, std::span<const double> times, double arrival,
                     std::span<const std::uint8_t> mask = {}, double cut = 0.3, const Progress& progress = {},
                     const Cancel* cancel = nullptr);
/// The same of one curve. Errors   also Errc::numeric when the fit fails
std::vector<double> first_pass(std::span<const double> curve, std::span<const double> times, double arrival,
                               double cut = 0.3);

}  // namespace larmor::dsc
