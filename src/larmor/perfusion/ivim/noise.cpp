// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/noise.hpp>
#include <larmor/perfusion/ivim/rician.hpp>

namespace larmor::ivim {
namespace {

std::size_t free_of(const fit::CurveFit& fit) {
  std::size_t n = 0;
  for (const auto& p : fit.params) n += p.lower < p.upper;
  return n;
}

/// Voxels whose residuals tell the noise: those with no parameter on a bound, given which a sum of squares still is a
/// chi-square of the degrees left, while what lies beyond a bound adds to it. All usable ones where few are such.
std::vector<std::size_t> telling(const fit::CurveFit& fit) {
  std::vector<std::size_t> free, usable;
  for (std::size_t v = 0; v < fit.status.size(); ++v) {
    if (!fit::usable(fit.status[v])) continue;
    usable.push_back(v);
    if (fit.status[v] == fit::FitStatus::converged) free.push_back(v);
  }
  return free.size() >= 100 || 2 * free.size() >= usable.size() ? free : usable;
}

/// The sd whose square these variances show in the middle, of `freedom` degrees each. Median of chi-square over its
/// degrees: Wilson and Hilferty, PNAS 17:684 (1931), within 2 % at one degree.
double sd_by_median(std::vector<double> variance, double freedom) {
  const auto middle = variance.begin() + std::ssize(variance) / 2;
  std::nth_element(variance.begin(), middle, variance.end());
  return std::sqrt(*middle / std::pow(1 - 2 / (9 * freedom), 3));
}

/// Sum over samples of variance (1 - leverage): what squared residuals of a fit are expected to add up to. Leverages
/// are squares of an orthogonal basis of the Jacobian's columns.
double expected_squares(std::vector<double> jacobian, std::span<const double> weight,
                        std::span<const double> variance) {
  const std::size_t K = variance.size();
  double sum = 0;
  for (const double x : variance) sum += x;
  for (std::size_t k = 0; k < K; ++k)
    for (std::size_t m = 0; m < 4; ++m) jacobian[4 * k + m] *= std::sqrt(weight.empty() ? 1.0 : weight[k]);
  for (std::size_t m = 0; m < 4; ++m) {
    double before = 0, norm = 0;
    for (std::size_t k = 0; k < K; ++k) before += jacobian[4 * k + m] * jacobian[4 * k + m];
    for (std::size_t j = 0; j < m; ++j) {
      double along = 0;
      for (std::size_t k = 0; k < K; ++k) along += jacobian[4 * k + j] * jacobian[4 * k + m];
      for (std::size_t k = 0; k < K; ++k) jacobian[4 * k + m] -= along * jacobian[4 * k + j];
    }
    for (std::size_t k = 0; k < K; ++k) norm += jacobian[4 * k + m] * jacobian[4 * k + m];
    const double scale = norm > 1e-12 * before ? 1 / std::sqrt(norm) : 0.0;  // 0: no column of its own
    for (std::size_t k = 0; k < K; ++k) {
      jacobian[4 * k + m] *= scale;
      sum -= variance[k] * jacobian[4 * k + m] * jacobian[4 * k + m];
    }
  }
  return sum;
}

}  // namespace

double mean_count(std::span<const double> counts) {
  double sum = 0;
  for (const double c : counts) sum += c;
  return counts.empty() ? 1.0 : sum / static_cast<double>(counts.size());
}

double noise_from_residuals(const fit::CurveFit& fit, std::size_t n_samples, std::span<const double> counts) {
  const std::size_t n_free = free_of(fit);
  if (n_samples <= n_free)
    throw Error(
        Errc::range,
        fmt::format("{} samples and {} free parameters leave no residual to tell the noise from", n_samples, n_free),
        "give the noise sd");
  std::vector<double> variance;
  const double each = mean_count(counts);
  for (const auto v : telling(fit))
    variance.push_back(each * static_cast<double>(fit.residual_sd[v]) * fit.residual_sd[v]);
  if (variance.empty())
    throw Error(Errc::numeric, "no voxel could be fitted, so the noise level is unknown", "give the noise sd");
  return sd_by_median(std::move(variance), static_cast<double>(n_samples - n_free));
}

double noise_of_magnitudes(const Array& data, std::span<const double> b, const fit::CurveFit& start,
                           const fit::CurveFitOptions& options, const Cancel* cancel) {
  const std::size_t K = b.size(), voxels = start.status.size();
  const double each = mean_count(options.weights);
  double sigma = noise_from_residuals(start, K, options.weights);
  std::vector<std::size_t> chosen;
  for (std::size_t v = 0; v < voxels; ++v)
    if (fit::usable(start.status[v])) chosen.push_back(v);
  constexpr std::size_t most = 4096;
  const std::size_t step = (chosen.size() + most - 1) / most, n = (chosen.size() + step - 1) / step;
  Array corrected(DType::f32, {static_cast<std::int64_t>(n), static_cast<std::int64_t>(K)}, {"voxel", "b"});
  const float* from = data.data<float>();
  float* to = corrected.data<float>();
  std::vector<double> signal(K * n), spread(K * n);  // behind the magnitudes, and their variances over the noise's
  const auto& model = models().get("ivim.biexponential");
  const auto predict = [&](const fit::CurveFit& fit, std::size_t v, std::size_t i) {
    for (std::size_t k = 0; k < K; ++k) {
      const double f = fit.values[1][v];
      signal[k * n + i] =
          fit.values[0][v] * ((1 - f) * std::exp(-b[k] * fit.values[2][v]) + f * std::exp(-b[k] * fit.values[3][v]));
    }
  };
  for (std::size_t i = 0; i < n; ++i) {
    predict(start, chosen[i * step], i);
    for (std::size_t k = 0; k < K; ++k) {  // a fit of magnitudes gives their mean
      double& A = signal[k * n + i];
      A = sigma * std::sqrt(std::max(A * A / (sigma * sigma) - 2 + magnitude_moments(A / sigma).variance, 0.0));
    }
  }
  fit::CurveFitOptions again = options;
  again.device = Device::cpu();
  constexpr int rounds = 4;  // each takes off two thirds of what is too much
  for (int round = 0; round < rounds && sigma > 0; ++round) {
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < K; ++k) {
        const double A = std::max(signal[k * n + i], 0.0);
        const MagnitudeMoments m = magnitude_moments(A / sigma);
        to[k * n + i] = static_cast<float>(from[k * voxels + chosen[i * step]] - (sigma * m.mean - A));
        spread[k * n + i] = m.variance;
      }
    const fit::CurveFit fit = fit_curves(model, corrected, b, {}, {}, again, {}, cancel);
    const auto freedom = static_cast<double>(K - free_of(fit));
    std::vector<double> variance, jacobian(4 * K), predicted(K), of_sample(K);
    for (const auto i : telling(fit)) {
      const double p[] = {fit.values[0][i], fit.values[1][i], fit.values[2][i], fit.values[3][i]};
      curve_signal(model, b, p, {}, predicted, jacobian);
      for (std::size_t m = 0; m < 4; ++m)
        for (std::size_t k = 0; k < K && !(fit.params[m].lower < fit.params[m].upper); ++k) jacobian[4 * k + m] = 0;
      for (std::size_t k = 0; k < K; ++k) of_sample[k] = spread[k * n + i];
      const double expected = expected_squares(jacobian, options.weights, of_sample) / freedom;
      if (expected > 0)
        variance.push_back(each * static_cast<double>(fit.residual_sd[i]) * fit.residual_sd[i] / expected);
    }
    if (variance.empty()) break;
    sigma = sd_by_median(std::move(variance), freedom);
    for (std::size_t i = 0; i < n; ++i)
      if (fit::usable(fit.status[i])) predict(fit, i, i);
  }
  return sigma;
}

}  // namespace larmor::ivim
