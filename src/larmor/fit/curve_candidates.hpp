// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>

namespace larmor::fit {

/// The grid of starts of a model at given samples: every combination of the parameters' grid values inside their bounds
/// (fixed parameters and those with a start of their own have one), the scale parameter at 1 or, when it is fixed or
/// given, as it is.
///
/// Of a signal that is a sum of two curves, whose amplitudes are both free: a grid for each, and every pair of them.
class CandidateTable {
 public:
  /// covariates   typical values, one a covariate
  CandidateTable(const CurveModel& model, const std::vector<Param>& params, const std::vector<double>& starts,
                 const LmOptions& options, std::span<const double> design, std::span<const double> covariates,
                 std::span<const double> root_weights);
  const Candidates& view() const { return view_; }
  struct Curves {
    std::vector<float> curves, norms;
    std::vector<double> params;
    std::vector<std::vector<double>> plain;  // as they are: of unit norm when scaled
    std::size_t size() const { return norms.size(); }
  };
  const Curves& first() const { return first_; }
  const Curves& second() const { return second_; }
  std::span<const float> overlap() const { return overlap_; }

 private:
  Curves first_, second_;
  std::vector<float> overlap_;
  Candidates view_{};
};

}  // namespace larmor::fit
