// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <limits>

namespace larmor::ivim {

void register_ivim_methods(Methods& registry);  // generated

const Methods& methods() {
  static const Methods all = [] {
    Methods m("IVIM method", "larmor list ivim-methods");
    register_ivim_methods(m);
    return m;
  }();
  return all;
}

Prior EstimateOptions::prior() const {
  Prior p;
  if (f) p.f_low = f->first, p.f_high = f->second;
  if (D) p.D_low = D->first, p.D_high = D->second;
  if (D_star) p.D_star_low = D_star->first, p.D_star_high = D_star->second;
  p.log_D_star = log_D_star;
  return p;
}

fit::ParamSettings EstimateOptions::bounds() const {
  fit::ParamSettings out;
  const auto bound = [&](const char* name, const Range& range) {
    if (range) out[name].lower = range->first, out[name].upper = range->second;
  };
  bound("f", f), bound("D", D), bound("D_star", D_star);
  return out;
}

std::vector<double> design_of(const Model& model, const Signals& s) {
  if (model.design.size() < 2) return s.b;
  if (s.c.size() != s.b.size())
    throw Error(Errc::range, fmt::format("{} flow weightings for {} volumes", s.c.size(), s.b.size()),
                "set c, one a volume [s/mm]");
  std::vector<double> design;
  for (std::size_t k = 0; k < s.b.size(); ++k) design.insert(design.end(), {s.b[k], s.c[k]});
  return design;
}

namespace {

// Residual sd and R2 of methods that do not minimise a sum of squares themselves.
void describe(Estimate& e, const Signals& s, const Cancel* cancel) {
  auto& fit = e.fit;
  const auto& model = models().get(e.model);
  const auto design = design_of(model, s);
  const std::size_t n = s.b.size(), voxels = fit.status.size(), params = fit.params.size();
  const Array packed = s.data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const float* y = packed.data<float>();
  double total = 0;
  for (std::size_t k = 0; k < n; ++k) total += s.counts.empty() ? 1.0 : s.counts[k];
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  if (fit.residual_sd.size() != voxels) fit.residual_sd.assign(voxels, nan);
  fit.R2.assign(voxels, nan);
  parallel_for(
      voxels, 4096,
      [&](std::size_t begin, std::size_t end) {
        std::vector<double> p(params), signal(n);
        for (std::size_t v = begin; v < end; ++v) {
          if (!fit::usable(fit.status[v])) continue;
          for (std::size_t m = 0; m < params; ++m) p[m] = fit.values[m][v];
          curve_signal(model, design, p, {}, signal);
          double mean = 0, sse = 0, sst = 0;
          const auto w = [&](std::size_t k) { return s.counts.empty() ? 1.0 : s.counts[k]; };
          for (std::size_t k = 0; k < n; ++k) mean += w(k) * y[k * voxels + v] / total;
          for (std::size_t k = 0; k < n; ++k) {
            const double d = y[k * voxels + v];
            sse += w(k) * (d - signal[k]) * (d - signal[k]), sst += w(k) * (d - mean) * (d - mean);
          }
          fit.R2[v] = static_cast<float>(1 - sse / sst);
          if (std::isnan(fit.residual_sd[v]) && n > params)
            fit.residual_sd[v] = static_cast<float>(std::sqrt(sse / static_cast<double>(n - params)));
        }
      },
      cancel);
}

}  // namespace

Estimate estimate(const std::string& method, const Signals& signals, const EstimateOptions& options,
                  const Progress& progress, const Cancel* cancel) {
  const std::string id = methods().resolve(method);
  const Method& m = methods().get(id);
  const std::string model = models().resolve(options.model);
  if (!m.any_model && model != "ivim.biexponential")
    throw Error(Errc::usage, fmt::format("{} estimates ivim.biexponential, not {}", id, model),
                "choose ivim.lm or ivim.map for other models");
  const std::size_t n = signals.b.size();
  if (signals.data.rank() < 1 || signals.data.extent(signals.data.rank() - 1) != static_cast<std::int64_t>(n))
    throw Error(Errc::shape,
                fmt::format("{} b-values for data of {} (b is the last axis)", n, to_string(signals.data.shape())));
  check_b_values(signals.b);
  if (!signals.counts.empty() && signals.counts.size() != n)
    throw Error(Errc::shape, fmt::format("{} counts for {} b-values", signals.counts.size(), n));
  EstimateOptions o = options;
  o.model = model;
  Estimate e = m.run(signals, o, progress, cancel);
  e.model = model;
  if (e.fit.R2.empty() || std::all_of(e.fit.R2.begin(), e.fit.R2.end(), [](float x) { return std::isnan(x); }))
    describe(e, signals, cancel);
  return e;
}

}  // namespace larmor::ivim
