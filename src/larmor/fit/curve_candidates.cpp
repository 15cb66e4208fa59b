// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/fit/curve_candidates.hpp>

namespace larmor::fit {
namespace {

std::vector<double> tried(const Param& p, double start, bool fixed) {
  if (fixed) return {p.lower};
  if (!std::isnan(start)) return {start};
  std::vector<double> values;
  for (const double v : p.grid)
    if (v > p.lower && v < p.upper) values.push_back(v);
  if (!values.empty()) return values;
  return {p.start > p.lower && p.start < p.upper ? p.start : 0.5 * (p.lower + p.upper)};
}

}  // namespace

CandidateTable::CandidateTable(const CurveModel& model, const std::vector<Param>& params,
                               const std::vector<double>& starts, const LmOptions& options,
                               std::span<const double> design, std::span<const double> covariates,
                               std::span<const double> root_weights) {
  const std::size_t np = params.size(), n_samples = design.size() / model.design.size();
  std::vector<std::vector<double>> values;
  // The amplitude is solved for, unless somebody said what it is.
  const auto scale = static_cast<std::size_t>(model.scale);
  const bool scaled = model.scale >= 0 && !options.fixed[scale] && std::isnan(starts[scale]);
  std::size_t n = 1;
  for (std::size_t i = 0; i < np; ++i) {
    values.push_back(scaled && i == scale ? std::vector<double>{1.0} : tried(params[i], starts[i], options.fixed[i]));
    n *= values.back().size();
  }

  std::vector<std::vector<double>> curves;
  std::vector<double> p(np), signal(n_samples);
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t rest = c;
    for (std::size_t i = 0; i < np; ++i) p[i] = values[i][rest % values[i].size()], rest /= values[i].size();
    if (model.scale >= 0 && !scaled)
      for (const int i : model.scale_too) {
        const auto k = static_cast<std::size_t>(i);
        if (!options.fixed[k] && std::isnan(starts[k])) p[k] *= p[scale];
      }
    curve_signal(model, design, p, covariates, signal);
    double squares = 0;
    for (std::size_t k = 0; k < n_samples; ++k) {
      const double w = root_weights.empty() ? 1.0 : root_weights[k];
      squares += w * w * signal[k] * signal[k];
      signal[k] *= w * w;
    }
    if (!std::isfinite(squares) || (scaled && !(squares > 0))) continue;  // a curve of zeros tells nothing
    if (scaled)
      for (double& s : signal) s /= std::sqrt(squares);
    curves.push_back(signal);
    norms_.push_back(static_cast<float>(scaled ? 1 / std::sqrt(squares) : 0.5 * squares));
    params_.insert(params_.end(), p.begin(), p.end());
  }
  if (curves.empty()) {  // nothing in the grid gives a signal: start in the middle
    curves.emplace_back(n_samples, 0.0), norms_.push_back(0.0f);
    for (std::size_t i = 0; i < np; ++i) params_.push_back(values[i][values[i].size() / 2]);
  }
  constexpr std::size_t block = 8;
  const std::size_t blocks = (curves.size() + block - 1) / block;
  curves_.assign(blocks * block * n_samples, 0.0f);
  for (std::size_t c = 0; c < curves.size(); ++c)
    for (std::size_t k = 0; k < n_samples; ++k)
      curves_[(c / block * n_samples + k) * block + c % block] = static_cast<float>(curves[c][k]);
  unsigned scale_too = 0;
  for (const int i : model.scale_too) {
    const auto k = static_cast<std::size_t>(i);
    if (!options.fixed[k] && std::isnan(starts[k])) scale_too |= 1u << i;
  }
  view_ = {.n = static_cast<int>(curves.size()),
           .curves = curves_.data(),
           .norm = norms_.data(),
           .params = params_.data(),
           .scale = scaled ? model.scale : -1,
           .scale_too = scale_too,
           .nonnegative = scaled && params[scale].lower >= 0};
}

}  // namespace larmor::fit
