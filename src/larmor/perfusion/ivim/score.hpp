// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/simulate.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::ivim {

/// Rank correlation; 0 when one of them is constant. Errors   Errc::shape
double spearman(std::span<const float> a, std::span<const float> b);

/// How good estimates of simulated signals are; of f, D, D_star in this order, over voxels with a value.
struct Score {
  std::string name;
  double rmse[3]{};
  double z[3]{};   // root mean square of error over claimed error: 1 when calibrated; NaN when none is claimed
  double rho = 0;  // Spearman of D_star and f among the estimates less that among the truths
  double us = 0;   // microseconds a voxel and core; 0: not measured
  std::size_t failed = 0;
};
Score score(const std::string& name, const fit::CurveFit& fit, const std::vector<float> (&truth)[4]);

/// Root mean square of the posterior's sds: with the prior that the signals are drawn from, the least RMSE that any
/// estimate can have over it.
Score limit_of(const Posterior& posterior);

}  // namespace larmor::ivim
