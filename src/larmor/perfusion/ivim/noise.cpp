// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/noise.hpp>

namespace larmor::ivim {

double noise_from_residuals(const fit::CurveFit& fit, std::size_t n_samples) {
  std::size_t n_free = 0;
  for (const auto& p : fit.params) n_free += p.lower < p.upper;
  if (n_samples <= n_free)
    throw Error(
        Errc::range,
        fmt::format("{} samples and {} free parameters leave no residual to tell the noise from", n_samples, n_free),
        "give the noise sd");
  std::vector<double> variance;
  for (std::size_t v = 0; v < fit.status.size(); ++v)
    if (fit::usable(fit.status[v])) variance.push_back(static_cast<double>(fit.residual_sd[v]) * fit.residual_sd[v]);
  if (variance.empty())
    throw Error(Errc::numeric, "no voxel could be fitted, so the noise level is unknown", "give the noise sd");
  const auto middle = variance.begin() + std::ssize(variance) / 2;
  std::nth_element(variance.begin(), middle, variance.end());
  // Median of chi-square over its degrees of freedom: Wilson and Hilferty, PNAS 17:684 (1931), within 2 % at one
  // degree.
  const auto freedom = static_cast<double>(n_samples - n_free);
  const double median = std::pow(1 - 2 / (9 * freedom), 3);
  return std::sqrt(*middle / median);
}

}  // namespace larmor::ivim
