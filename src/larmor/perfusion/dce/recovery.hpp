// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/perfusion/dce/t1.hpp>

namespace larmor::dce {

/// Fit of S(t) = a + b exp(-R t), of magnitudes |S| when asked: the sign of the samples before the null is restored.
struct Recovery {
  double a = 0, b = 0, R = 0;
  double SSE = 0, SST = 0;
  std::array<std::array<double, 3>, 3> covariance{};  // of a, b, R; NaN without a degree of freedom left
  fit::FitStatus status = fit::FitStatus::converged;
};

/// Least squares in R alone, a and b projected out: the best of a grid of rates and of the possible signs, then
/// Gauss-Newton (RD-NLS, Barral et al., MRM 64:1057 (2010)).
class RecoveryFit {
 public:
  /// t in any order. Errors   Errc::range: fewer than 3 different times, or not finite or below 0
  explicit RecoveryFit(std::span<const double> t);
  Recovery operator()(std::span<const double> S, bool magnitude) const;

 private:
  struct Trial;
  Trial at(std::span<const double> S, double R) const;
  std::vector<double> t_;
  std::vector<std::size_t> order_;  // of increasing t
  std::vector<double> rates_;
  std::vector<std::vector<double>> shapes_;  // exp(-R t) of each rate: mean 0, unit length
};

/// A map of recoveries; `convert` turns one into T1, M0, efficiency and their standard errors.
struct RecoveryValues {
  double T1, T1_se, M0, M0_se, efficiency;
};
T1Result recovery_map(const Array& signal, const T1Protocol& protocol, std::span<const std::uint8_t> mask,
                      const Progress& progress, const Cancel* cancel,
                      const std::function<RecoveryValues(const Recovery&)>& convert);

}  // namespace larmor::dce
