// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/noise.hpp>
#include <limits>

namespace larmor::ivim {

/// Data over S0 of each voxel, its mean at the lowest b; S0 is written.
Array relative_to_b0(const Signals& s, std::vector<float>& S0) {
  const Array packed = s.data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  Array out = packed.clone();
  const std::size_t n = s.b.size(), voxels = static_cast<std::size_t>(packed.size()) / n;
  const double lowest = *std::min_element(s.b.begin(), s.b.end());
  float* y = out.data<float>();
  S0.assign(voxels, 0.0F);
  double total = 0;
  for (std::size_t k = 0; k < n; ++k) {
    if (s.b[k] != lowest) continue;
    const double w = s.counts.empty() ? 1.0 : s.counts[k];
    total += w;
    for (std::size_t v = 0; v < voxels; ++v) S0[v] += static_cast<float>(w) * y[k * voxels + v];
  }
  for (std::size_t v = 0; v < voxels; ++v) S0[v] /= static_cast<float>(total);
  for (std::size_t k = 0; k < n; ++k)
    for (std::size_t v = 0; v < voxels; ++v) {
      float& x = y[k * voxels + v];
      x = S0[v] > 0 ? x / S0[v] : x == 0 ? 0.0F : std::numeric_limits<float>::quiet_NaN();
    }
  return out;
}

Estimate least_squares(const Signals& s, const EstimateOptions& o, bool map, const fit::ParamSettings& priors,
                       const Progress& progress, const Cancel* cancel) {
  const auto& model = models().get(o.model);
  fit::CurveFitOptions options;
  options.map = map, options.weights = s.counts, options.scalar = o.scalar;
  options.device = s.data.device();
  for (const auto& [name, setting] : o.bounds())
    if (std::any_of(model.params.begin(), model.params.end(), [&n = name](const auto& p) { return p.name == n; }))
      options.params[name] = setting;
  if (model.design.size() == 2) options.params["D_blood"].fixed = o.D_blood;
  for (const auto& [name, setting] : priors) {
    auto& p = options.params[name];
    p.prior_mean = setting.prior_mean, p.prior_sd = setting.prior_sd, p.prior_log = setting.prior_log;
  }
  if (map) {
    if (o.noise_sd) options.noise_sd = *o.noise_sd / std::sqrt(mean_count(s.counts));
    // S0 is in units of the scanner: nothing is known of it beforehand.
    options.params["S0"].prior_mean = 1, options.params["S0"].prior_sd = 1e3, options.params["S0"].prior_log = true;
  }
  const auto design = design_of(model, s);
  Estimate e;
  if (!o.S0_from_b0) {
    e.fit = fit_curves(model, s.data, design, {}, s.mask, options, progress, cancel);
    return e;
  }
  if (map && o.noise_sd)
    throw Error(Errc::usage, "S0 is taken from b = 0 and the noise sd is given",
                "leave S0 free, or the noise to be estimated: divided by S0 it differs from voxel to voxel");
  std::vector<float> S0;
  const Array data = relative_to_b0(s, S0);
  options.params["S0"].fixed = 1.0;
  e.fit = fit_curves(model, data, design, {}, s.mask, options, progress, cancel);
  for (std::size_t v = 0; v < S0.size(); ++v)
    if (fit::usable(e.fit.status[v])) e.fit.values[0][v] = S0[v], e.fit.residual_sd[v] *= S0[v];
  return e;
}

std::size_t free_parameters(const EstimateOptions& o) {
  const auto& model = models().get(o.model);
  return model.params.size() - (o.S0_from_b0 ? 1 : 0) - (model.design.size() == 2 ? 1 : 0);  // D_blood is fixed
}

void register_lm(Methods& methods) {
  methods.add("ivim.lm",
              {.title = "Bounded Levenberg-Marquardt",
               .source = "Marquardt, J. Soc. Ind. Appl. Math. 11:431 (1963)",
               .any_model = true,
               .run =
                   [](const auto& s, const auto& o, const auto& progress, const Cancel* cancel) {
                     const auto& model = models().get(o.model);
                     check_samples(design_of(model, s), model.design.size(), free_parameters(o), model.title);
                     return least_squares(s, o, false, {}, progress, cancel);
                   }},
              {"ivim.least_squares"});
}

}  // namespace larmor::ivim
