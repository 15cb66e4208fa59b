// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/fit/curve_candidates.hpp>
#include <numeric>

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

/// The curves of every combination of values, with squared weights; those of zeros tell nothing and are left out.
/// scale  index of the amplitude they are solved for, whose value is 1, or -1
CandidateTable::Curves curves_of(const CurveModel& model, const std::vector<std::vector<double>>& values, bool scaled,
                                 std::span<const int> with_scale, std::span<const double> design,
                                 std::span<const double> covariates, std::span<const double> root_weights) {
  CandidateTable::Curves out;
  const std::size_t np = values.size(), n_samples = design.size() / model.design.size();
  std::size_t n = 1;
  for (const auto& v : values) n *= v.size();
  std::vector<double> p(np), signal(n_samples);
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t rest = c;
    for (std::size_t i = 0; i < np; ++i) p[i] = values[i][rest % values[i].size()], rest /= values[i].size();
    for (const int i : with_scale) p[static_cast<std::size_t>(i)] *= p[static_cast<std::size_t>(model.scale)];
    curve_signal(model, design, p, covariates, signal);
    double squares = 0;
    for (std::size_t k = 0; k < n_samples; ++k) {
      const double w = root_weights.empty() ? 1.0 : root_weights[k];
      squares += w * w * signal[k] * signal[k];
    }
    if (!std::isfinite(squares) || (scaled && !(squares > 0))) continue;
    if (scaled)
      for (double& s : signal) s /= std::sqrt(squares);
    out.plain.push_back(signal);
    out.norms.push_back(static_cast<float>(scaled ? 1 / std::sqrt(squares) : 0.5 * squares));
    out.params.insert(out.params.end(), p.begin(), p.end());
  }
  return out;
}

/// Without curves that hardly any sample sees: of the largest norm they have less than a sixth, and an amplitude that
/// fits them to noise is beyond all bounds.
CandidateTable::Curves seen_of(const CandidateTable::Curves& all, std::size_t np) {
  CandidateTable::Curves out;
  if (all.size() == 0) return out;
  const float least = *std::min_element(all.norms.begin(), all.norms.end());  // they are inverse
  for (std::size_t c = 0; c < all.size(); ++c) {
    if (all.norms[c] > 6 * least) continue;
    out.plain.push_back(all.plain[c]), out.norms.push_back(all.norms[c]);
    out.params.insert(out.params.end(), all.params.begin() + static_cast<std::ptrdiff_t>(c * np),
                      all.params.begin() + static_cast<std::ptrdiff_t>((c + 1) * np));
  }
  return out;
}

/// Sample k of a curve as it is multiplied with data. What is nothing beside the curve is 0: denormal numbers cost a
/// hundred times as much as others.
float weighted(const std::vector<double>& curve, std::size_t k, std::span<const double> root_weights) {
  const double top = std::abs(
      *std::max_element(curve.begin(), curve.end(), [](double a, double b) { return std::abs(a) < std::abs(b); }));
  const double w = root_weights.empty() ? 1.0 : root_weights[k];
  return std::abs(curve[k]) < 1e-15 * top ? 0.0f : static_cast<float>(w * w * curve[k]);
}

}  // namespace

CandidateTable::CandidateTable(const CurveModel& model, const std::vector<Param>& params,
                               const std::vector<double>& starts, const LmOptions& options,
                               std::span<const double> design, std::span<const double> covariates,
                               std::span<const double> root_weights) {
  const std::size_t np = params.size(), n_samples = design.size() / model.design.size();
  // An amplitude is solved for, unless somebody said what it is.
  const auto solved_for = [&](int i) {
    const auto k = static_cast<std::size_t>(i);
    return i >= 0 && !options.fixed[k] && std::isnan(starts[k]);
  };
  const auto scale = static_cast<std::size_t>(model.scale), other = static_cast<std::size_t>(model.second_scale);
  const bool scaled = solved_for(model.scale);
  std::vector<std::vector<double>> values;
  for (std::size_t i = 0; i < np; ++i)
    values.push_back(scaled && i == scale ? std::vector<double>{1.0} : tried(params[i], starts[i], options.fixed[i]));
  std::vector<int> with_scale;
  for (const int i : model.scale_too)
    if (solved_for(i)) with_scale.push_back(i);
  const auto curves = [&](const std::vector<std::vector<double>>& from, std::span<const int> too) {
    return curves_of(model, from, scaled, too, design, covariates, root_weights);
  };

  if (scaled && solved_for(model.second_scale) && params[scale].lower >= 0 && params[other].lower >= 0) {
    auto one = values, two = values;
    one[other] = {0.0}, two[scale] = {0.0}, two[other] = {1.0};
    for (std::size_t i = 0; i < np; ++i) {
      const bool of_second =
          std::find(model.second_of.begin(), model.second_of.end(), static_cast<int>(i)) != model.second_of.end();
      if (i != scale && i != other) (of_second ? one : two)[i].resize(1);
    }
    first_ = seen_of(curves(one, {}), np), second_ = seen_of(curves(two, {}), np);
    if (first_.size() == 0 || second_.size() == 0 || second_.size() > max_second_curves) first_ = {}, second_ = {};
  }
  if (first_.size() == 0) first_ = curves(values, scaled ? std::span<const int>{} : with_scale);
  if (first_.size() == 0) {  // nothing in the grid gives a signal: start in the middle
    first_.plain.emplace_back(n_samples, 0.0), first_.norms.push_back(0.0f);
    for (std::size_t i = 0; i < np; ++i) first_.params.push_back(values[i][values[i].size() / 2]);
  }

  constexpr std::size_t block = 8;
  first_.curves.assign((first_.size() + block - 1) / block * block * n_samples, 0.0f);
  for (std::size_t c = 0; c < first_.size(); ++c)
    for (std::size_t k = 0; k < n_samples; ++k)
      first_.curves[(c / block * n_samples + k) * block + c % block] = weighted(first_.plain[c], k, root_weights);
  for (const auto& curve : second_.plain)
    for (std::size_t k = 0; k < n_samples; ++k) second_.curves.push_back(weighted(curve, k, root_weights));
  if (second_.size() > 0)
    for (const auto& a : first_.plain)
      for (std::size_t j = 0; j < second_.size(); ++j)
        overlap_.push_back(static_cast<float>(std::inner_product(
            a.begin(), a.end(), second_.curves.begin() + static_cast<std::ptrdiff_t>(j * n_samples), 0.0)));

  unsigned scale_too = 0, second_of = 0;
  if (scaled && second_.size() == 0)
    for (const int i : with_scale) scale_too |= 1u << i;
  for (const int i : model.second_of) second_of |= 1u << i;
  view_ = {.n = static_cast<int>(first_.size()),
           .curves = first_.curves.data(),
           .norm = first_.norms.data(),
           .params = first_.params.data(),
           .scale = scaled ? model.scale : -1,
           .scale_too = scale_too,
           .nonnegative = scaled && params[scale].lower >= 0,
           .n_second = static_cast<int>(second_.size()),
           .second_curves = second_.curves.data(),
           .second_norm = second_.norms.data(),
           .second_params = second_.params.data(),
           .overlap = overlap_.data(),
           .second_scale = model.second_scale,
           .second_of = second_of};
}

}  // namespace larmor::fit
