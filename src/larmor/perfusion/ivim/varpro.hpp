// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>

namespace larmor::ivim {

struct VarproOptions {
  fit::ParamSettings params = {};    // bounds of f, D and D_star
  std::vector<double> weights = {};  // one a sample, relative inverse variances; empty: equal
  int max_iterations = 200;
  double tolerance = 1e-6;  // relative step of D and D_star that counts as converged
  bool scalar = false;      // one number a lane: slow, for comparison
};

/// The bi-exponential model by variable projection: S0 and f follow from D and D_star in closed form, so that the
/// search is one in two numbers. The minimum is that of the full bounded fit.
///
/// data, b, mask   as grid_posterior()
/// Result   S0, f, D, D_star with the standard errors of the full problem
/// Errors   Errc::shape; Errc::range (b < 0 or not finite, fewer than 4 samples, weights not above 0, empty mask);
///          Errc::unknown_name for a parameter
/// Source   Golub and Pereyra, SIAM J. Numer. Anal. 10:413 (1973); Kaufman, BIT 15:49 (1975); for IVIM: Fadnavis et
/// al.,
///          Front. Neurosci. 15:779025 (2021)
fit::CurveFit varpro_fit(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask = {},
                         const VarproOptions& options = {}, const Progress& progress = {},
                         const Cancel* cancel = nullptr);

}  // namespace larmor::ivim
