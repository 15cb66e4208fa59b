// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/noise.hpp>

namespace larmor::ivim {

Estimate least_squares(const Signals& s, const EstimateOptions& o, bool map, const fit::ParamSettings& priors,
                       const Progress& progress, const Cancel* cancel);

std::size_t free_parameters(const EstimateOptions& o);  // lm.cpp

namespace {

/// Up to 4,096 voxels of the mask that have signal, evenly out of all.
Signals some_of(const Signals& s) {
  const Array packed = s.data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const std::size_t K = s.b.size(), voxels = static_cast<std::size_t>(packed.size()) / K;
  std::vector<std::size_t> chosen;
  const float* from = packed.data<float>();
  for (std::size_t v = 0; v < voxels; ++v)
    if ((s.mask.empty() || s.mask[v]) && std::isfinite(from[v]) && from[v] > 0) chosen.push_back(v);
  constexpr std::size_t most = 4096;
  const std::size_t step = std::max<std::size_t>(1, (chosen.size() + most - 1) / most);
  const std::size_t n = (chosen.size() + step - 1) / step;
  Array data(DType::f32, {static_cast<std::int64_t>(n), static_cast<std::int64_t>(K)}, {"voxel", "b"});
  float* to = data.data<float>();
  for (std::size_t k = 0; k < K; ++k)
    for (std::size_t i = 0; i < n; ++i) to[k * n + i] = from[k * voxels + chosen[i * step]];
  return {.data = data, .b = s.b, .c = s.c, .counts = s.counts, .mask = {}};
}

/// Noise sd of one volume, from what least squares leave.
double noise_of_residuals(const Signals& part, const EstimateOptions& o, const Cancel* cancel) {
  const std::size_t K = part.b.size(), n_free = free_parameters(o);
  if (K <= n_free)
    throw Error(Errc::range,
                fmt::format("{} samples and {} free parameters leave no residual to tell the noise from", K, n_free),
                "give the noise sd");
  if (part.data.size() == 0)
    throw Error(Errc::numeric, "no voxel could be fitted, so the noise level is unknown", "give the noise sd");
  const Estimate e = least_squares(part, o, false, {}, {}, cancel);
  return noise_from_residuals(e.fit, K, part.counts);
}

/// What the voxels themselves say of the parameters they come from: a log-normal each, by expectation-maximisation from
/// the wide ones (Dempster, Laird and Rubin, J. R. Stat. Soc. B 39:1 (1977)). The variance of a parameter among the
/// voxels is that of the estimates and what their errors hide. Empty: too few voxels to tell.
fit::ParamSettings empirical_priors(const Signals& part, const EstimateOptions& o, const Cancel* cancel) {
  constexpr std::size_t enough = 50;
  constexpr int rounds = 8;
  // 5 %: a narrower one would tell voxels to be alike.
  constexpr double narrowest = 0.05;
  fit::ParamSettings priors;
  const std::size_t n_voxels = static_cast<std::size_t>(part.data.size()) / part.b.size();
  if (n_voxels < enough) return priors;
  for (int round = 0; round < rounds; ++round) {
    const Estimate e = least_squares(part, o, true, priors, {}, cancel);
    for (std::size_t m = 0; m < e.fit.params.size(); ++m) {
      const auto& p = e.fit.params[m];
      if (p.name == "S0" || !(p.lower < p.upper) || p.lower < 0) continue;
      const double before = priors.count(p.name) ? *priors[p.name].prior_sd : 1.5;
      double sum = 0, squares = 0, hidden = 0;
      std::size_t n = 0;
      for (std::size_t v = 0; v < n_voxels; ++v) {
        const double value = e.fit.values[m][v], error = e.fit.standard_error[m][v];
        if (!fit::usable(e.fit.status[v]) || !(value > 0)) continue;
        const double x = std::log(value);
        sum += x, squares += x * x, ++n;
        if (std::isfinite(error)) hidden += std::pow(std::min(error / value, before), 2);
      }
      if (n < enough) return {};
      const auto count = static_cast<double>(n);
      const double mean = sum / count, variance = squares / count - mean * mean + hidden / count;
      auto& prior = priors[p.name];
      prior.prior_mean = std::exp(mean), prior.prior_log = true;
      prior.prior_sd = std::clamp(std::sqrt(std::max(variance, 0.0)), narrowest, 1.5);
    }
  }
  return priors;
}

}  // namespace

void register_map(Methods& methods) {
  methods.add("ivim.map",
              {.title = "Maximum a posteriori, with log-normal priors that the voxels themselves tell",
               .source = "Gustafsson et al., MRM 79:1674 (2018); Dempster et al., J. R. Stat. Soc. B 39:1 (1977)",
               .any_model = true,
               .run = [](const auto& s, const auto& o, const auto& progress, const Cancel* cancel) {
                 const Signals part = some_of(s);
                 EstimateOptions with = o;
                 if (!o.noise_sd && !o.S0_from_b0) with.noise_sd = noise_of_residuals(part, o, cancel);
                 Estimate e = least_squares(s, with, true, empirical_priors(part, with, cancel), progress, cancel);
                 e.noise_sd = with.noise_sd.value_or(0);
                 return e;
               }});
}

}  // namespace larmor::ivim
