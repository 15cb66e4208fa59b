// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>

namespace larmor::fit {

/// The grid of starts of a model at given samples: every combination of the parameters' grid values inside their bounds
/// (fixed parameters and those with a start of their own have one), the scale parameter at 1 or, when it is fixed or
/// given, as it is.
class CandidateTable {
 public:
  /// covariates   typical values, one a covariate
  CandidateTable(const CurveModel& model, const std::vector<Param>& params, const std::vector<double>& starts,
                 const LmOptions& options, std::span<const double> design, std::span<const double> covariates,
                 std::span<const double> root_weights);
  const Candidates& view() const { return view_; }
  std::span<const float> curves() const { return curves_; }
  std::span<const float> norms() const { return norms_; }
  std::span<const double> params() const { return params_; }

 private:
  std::vector<float> curves_, norms_;
  std::vector<double> params_;
  Candidates view_{};
};

}  // namespace larmor::fit
