// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/score.hpp>
#include <numeric>

namespace larmor::ivim {
namespace {

/// Ranks, equal values sharing their mean.
std::vector<double> ranks(std::span<const float> a) {
  std::vector<std::size_t> order(a.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto i, auto k) { return a[i] < a[k]; });
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && a[order[end]] == a[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) out[order[k]] = 0.5 * static_cast<double>(i + end - 1);
    i = end;
  }
  return out;
}

}  // namespace

double spearman(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) throw Error(Errc::shape, fmt::format("{} numbers and {}", a.size(), b.size()));
  const auto x = ranks(a), y = ranks(b);
  const double mean = 0.5 * (static_cast<double>(a.size()) - 1);
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    xy += (x[i] - mean) * (y[i] - mean), xx += (x[i] - mean) * (x[i] - mean), yy += (y[i] - mean) * (y[i] - mean);
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

Score score(const std::string& name, const fit::CurveFit& fit, const std::vector<float> (&truth)[4]) {
  Score out;
  out.name = name;
  std::vector<float> values[2], truths[2];
  std::size_t n = 0, claimed[3]{};
  for (std::size_t v = 0; v < fit.status.size(); ++v) {
    if (!fit::usable(fit.status[v])) {
      ++out.failed;
      continue;
    }
    ++n;
    for (std::size_t m = 0; m < 3; ++m) {
      const double e = fit.values[m + 1][v] - truth[m + 1][v], se = fit.standard_error[m + 1][v];
      out.rmse[m] += e * e;
      if (std::isfinite(se) && se > 0) out.z[m] += e * e / (se * se), ++claimed[m];
    }
    for (std::size_t i = 0; i < 2; ++i)
      values[i].push_back(fit.values[i ? 1 : 3][v]), truths[i].push_back(truth[i ? 1 : 3][v]);
  }
  for (std::size_t m = 0; m < 3; ++m) {
    out.rmse[m] = n ? std::sqrt(out.rmse[m] / static_cast<double>(n)) : std::nan("");
    out.z[m] = claimed[m] ? std::sqrt(out.z[m] / static_cast<double>(claimed[m])) : std::nan("");
  }
  out.rho = spearman(values[0], values[1]) - spearman(truths[0], truths[1]);
  return out;
}

Score limit_of(const Posterior& p) {
  Score out;
  out.name = "limit";
  out.rho = out.z[0] = out.z[1] = out.z[2] = std::nan("");
  std::size_t n = 0;
  for (std::size_t v = 0; v < p.status.size(); ++v) {
    if (!fit::usable(p.status[v])) continue;
    ++n;
    for (std::size_t m = 0; m < 3; ++m) out.rmse[m] += static_cast<double>(p.sd[m + 1][v]) * p.sd[m + 1][v];
  }
  for (double& r : out.rmse) r = std::sqrt(r / static_cast<double>(n));
  return out;
}

}  // namespace larmor::ivim
