// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/average.hpp>
#include <larmor/perfusion/ivim/network_data.hpp>
#include <larmor/perfusion/ivim/noise.hpp>

namespace larmor::ivim {
namespace {

float percentile(std::vector<float> values, double part) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

std::vector<float> good_S0(const NetworkData& d) {
  std::vector<float> out;
  for (std::size_t v = 0; v < d.n; ++v)
    if (d.good[v]) out.push_back(d.S0[v]);
  if (out.empty())
    throw Error(Errc::range, "no voxel has signal at every b-value", "give a mask, or look at the series");
  return out;
}

}  // namespace

NetworkData network_data(const Signals& s, double tolerance) {
  const Averaged a = average_b(s.data, s.b, Average::mean, tolerance);
  NetworkData out;
  if (a.b.empty() || a.b[0] > 0.5 * tolerance)
    throw Error(Errc::usage, fmt::format("no volume has b = 0; the lowest is {} s/mm2", a.b.empty() ? NAN : a.b[0]),
                "networks take signals relative to that at b = 0");
  // What average_b counts are volumes of this series; those may be averages themselves.
  std::vector<double> counts = a.counts;
  if (!s.counts.empty()) {
    std::fill(counts.begin(), counts.end(), 0.0);
    for (std::size_t k = 0; k < s.b.size(); ++k) {
      std::size_t nearest = 0;
      for (std::size_t g = 1; g < a.b.size(); ++g)
        if (std::abs(a.b[g] - s.b[k]) < std::abs(a.b[nearest] - s.b[k])) nearest = g;
      counts[nearest] += s.counts[k];
    }
  }
  out.protocol.b.assign(a.b.begin() + 1, a.b.end());
  out.protocol.counts.assign(counts.begin() + 1, counts.end());
  out.protocol.count0 = counts[0];
  const std::size_t n_b = out.protocol.b.size();
  const Array data = a.signal.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const float* y = data.data<float>();
  out.n = static_cast<std::size_t>(data.size()) / a.b.size();
  if (!s.mask.empty() && s.mask.size() != out.n)
    throw Error(Errc::shape, fmt::format("a mask of {} voxels for data of {}", s.mask.size(), out.n));
  out.S0.assign(y, y + out.n);
  out.good.assign(out.n, 1), out.ratios.assign(n_b * out.n, 0.0F);
  for (std::size_t v = 0; v < out.n; ++v) {
    bool good = (s.mask.empty() || s.mask[v]) && out.S0[v] > 0 && std::isfinite(out.S0[v]);
    for (std::size_t k = 1; k <= n_b; ++k) good = good && std::isfinite(y[k * out.n + v]);
    out.good[v] = good;
    for (std::size_t k = 0; k < n_b && good; ++k) out.ratios[k * out.n + v] = y[(k + 1) * out.n + v] / out.S0[v];
  }
  return out;
}

namespace {

std::vector<std::size_t> without_background(const NetworkData& d, double part) {
  const auto threshold = static_cast<float>(part) * percentile(good_S0(d), 0.99);
  std::vector<std::size_t> voxels;
  for (std::size_t v = 0; v < d.n; ++v)
    if (d.good[v] && d.S0[v] > threshold) voxels.push_back(v);
  return voxels;
}

std::vector<float> columns(const NetworkData& d, const std::vector<std::size_t>& voxels) {
  std::vector<float> out;
  for (std::size_t k = 0; k < d.protocol.b.size(); ++k)
    for (const auto v : voxels) out.push_back(d.ratios[k * d.n + v]);
  return out;
}

}  // namespace

std::vector<float> training_voxels(const NetworkData& d, std::size_t& n, double part) {
  const auto voxels = without_background(d, part);
  n = voxels.size();
  return columns(d, voxels);
}

PatientVoxels patient_voxels(const Signals& s, const NetworkData& d, const Prior& prior, double noise_sd, double low,
                             double high, std::size_t most, double part, const Cancel* cancel) {
  std::vector<std::size_t> within;
  for (const auto v : without_background(d, part))
    if (const double noise = noise_sd / d.S0[v]; noise >= low && noise <= high) within.push_back(v);
  PatientVoxels out;
  if (within.empty()) return out;
  const std::size_t step = (within.size() + most - 1) / most;
  std::vector<std::uint8_t> mask(d.n, 0);
  for (std::size_t i = 0; i < within.size(); i += step) mask[within[i]] = 1;
  PosteriorOptions o;
  o.prior = prior, o.noise_sd = noise_sd, o.counts = s.counts;
  const Posterior p = grid_posterior(s.data, s.b, mask, o, {}, cancel);
  std::vector<std::size_t> used;
  for (std::size_t v = 0; v < d.n; ++v)
    if (mask[v] && fit::usable(p.status[v])) used.push_back(v);
  out.n = used.size();
  out.ratios = columns(d, used);
  for (const auto v : used) {
    out.noise.push_back(static_cast<float>(noise_sd / d.S0[v]));
    for (std::size_t m = 0; m < 3; ++m) out.mean[m].push_back(p.mean[m + 1][v]), out.sd[m].push_back(p.sd[m + 1][v]);
  }
  return out;
}

double median_S0(const NetworkData& d) { return percentile(good_S0(d), 0.5); }

double noise_of(const Signals& s, const Cancel* cancel) {
  fit::CurveFitOptions options;
  options.weights = s.counts, options.max_iterations = 60, options.tolerance = 1e-3;
  const Array packed = s.data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const auto fit = fit_curves(models().get("ivim.biexponential"), packed, s.b, {}, s.mask, options, {}, cancel);
  return noise_of_magnitudes(packed, s.b, fit, options, cancel);
}

std::pair<double, double> noise_range(const Signals& s, const NetworkData& d) {
  const double sigma = noise_of(s);
  const auto S0 = good_S0(d);
  return {sigma / percentile(S0, 0.95), sigma / percentile(S0, 0.05)};
}

}  // namespace larmor::ivim
