// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dsc/deconvolution_plan.hpp>

namespace larmor::dsc {
namespace {

using Kind = DeconvolutionMethod::Kind;
using Plan = DeconvolutionPlan;

void add_areas(Plan& p, const CurveArea& area) {
  p.area_weight = area.weights(), p.moment_weight = area.moment_weights();
  p.aif_area = area.aif_area, p.aif_moment = area.aif_moment;
  for (const double w : area.weight)
    p.area_variance += w * w / (p.aif_area * p.aif_area), p.area_offset += w / p.aif_area;
}

void add_truncations(Plan& p, const DeconvolutionMethod& m, const DeconvolutionOptions& o) {
  const auto n_modes = static_cast<std::size_t>(p.basis.n_modes);
  std::vector<int> ends = p.basis.step_end;
  if (m.kind == Kind::truncation) {
    const double threshold = o.threshold.value_or(m.threshold);
    if (!(threshold >= 0 && threshold < 1))
      throw Error(Errc::range, fmt::format("a threshold of {}", threshold), "give 0 or more, below 1");
    int kept = ends[0];
    for (const int e : ends)
      if (p.basis.s64[static_cast<std::size_t>(e) - 1] >= threshold * p.basis.s64[0]) kept = e;
    ends = {kept};
    p.run.how = Regulariser::truncation, p.run.n_kept = kept;
  } else {
    const double target = o.oscillation.value_or(m.oscillation);
    if (!(target > 0) || !std::isfinite(target))
      throw Error(Errc::range, fmt::format("an oscillation index of {}", target), "give a number above 0");
    p.run.how = Regulariser::oscillation, p.run.target = static_cast<float>(target);
    p.run.n_steps = static_cast<int>(ends.size());
  }
  p.filters = {static_cast<int>(ends.size()), p.basis.n_modes, {}};
  p.choice_of.assign(n_modes + 1, 0);
  for (std::size_t c = 0; c < ends.size(); ++c) {
    for (std::size_t k = 0; k < n_modes; ++k) p.filters.f.push_back(k < static_cast<std::size_t>(ends[c]) ? 1.0 : 0.0);
    p.choice_of[static_cast<std::size_t>(ends[c])] = static_cast<int>(c);
  }
}

void add_weights(Plan& p, Kind kind) {
  // Candidates from where nothing is left of the flow to where nothing is left of the smoothing.
  constexpr int n = 24;
  constexpr double least = 1e-2, most = 1;
  p.run.how = kind == Kind::gcv ? Regulariser::gcv : Regulariser::l_curve, p.run.n_weights = n;
  p.filters = {n, p.basis.n_modes, {}};
  // Rows of zeros under a padded curve hold no noise: half a degree of freedom a mode (see Basis).
  const double share = p.basis.structure == Structure::circulant ? 0.5 : 1.0;
  for (int w = 0; w < n; ++w) {
    const double relative = least * std::pow(most / least, static_cast<double>(w) / (n - 1));
    const double l = relative * p.basis.s64[0];
    p.lambda.push_back(relative), p.weight2.push_back(static_cast<float>(l * l));
    double sum = 0;
    for (const double s : p.basis.s64) {
      const double f = s * s / (s * s + l * l);
      p.filters.f.push_back(f);
      p.left.push_back(static_cast<float>((1 - f) * (1 - f)));
      p.norm.push_back(static_cast<float>(f * f / (s * s)));
      p.slope.push_back(static_cast<float>((1 - f) * f * f / (s * s)));
      sum += f;
    }
    p.freedom.push_back(static_cast<float>(static_cast<double>(p.basis.n_data) - share * sum));
  }
}

}  // namespace

DeconvolutionPlan plan_for(const DeconvolutionMethod& m, std::span<const double> aif, double step,
                           const CurveArea& area, const DeconvolutionOptions& o) {
  Plan p;
  const Structure structure = o.structure.value_or(m.structure);
  const auto n = static_cast<int>(aif.size());
  const int before =
      structure == Structure::circulant ? std::clamp(static_cast<int>(std::ceil(-o.earliest / step)), 0, n / 2) : 0;
  p.basis = decompose(aif, step, structure, o.rule, before);
  add_areas(p, area);
  if (m.kind == Kind::truncation || m.kind == Kind::oscillation)
    add_truncations(p, m, o);
  else
    add_weights(p, m.kind);
  DeconvolutionRun& r = p.run;
  r.n_data = p.basis.n_data, r.n_residue = p.basis.n_residue, r.n_modes = p.basis.n_modes;
  r.circular = structure == Structure::circulant;
  r.n_search = std::clamp(before + static_cast<int>(std::ceil(o.latest / step)) + 1, 3, before + n);
  if (o.correction != "none")
    p.table = PeakTable(p.basis, p.filters, residues().get(o.correction), aif, o.rule, r.n_search);
  p.offset_variance = o.baseline_frames > 0 ? 1.0 / o.baseline_frames : 0.0;
  // A residue sample is a sum of projections f / s V (U y). Of a padded curve half the rows have noise.
  const double share = r.circular ? 0.5 : 1.0;
  const auto n_residue = static_cast<std::size_t>(r.n_residue), n_modes = static_cast<std::size_t>(r.n_modes),
             n_data = static_cast<std::size_t>(r.n_data);
  std::vector<double> ones(n_modes, 0.0), weights(n_modes, 0.0);
  for (std::size_t k = 0; k < n_modes; ++k)
    for (std::size_t t = 0; t < n_data; ++t)
      ones[k] += p.basis.U64[k * n_data + t], weights[k] += p.basis.U64[k * n_data + t] * area.weight[t] / p.aif_area;
  for (int c = 0; c < p.filters.n_choices; ++c) {
    const auto f = p.filters.row(c);
    for (std::size_t i = 0; i < n_residue; ++i) {
      const std::size_t after = i + 1 < n_residue ? i + 1
                                : r.circular      ? 0
                                                  : i,
                        before = i > 0        ? i - 1
                                 : r.circular ? n_residue - 1
                                              : i;
      double variance = 0, with_area = 0, of_offset = 0, slope = 0;
      for (std::size_t k = 0; k < n_modes; ++k) {
        const double h = f[k] / p.basis.s64[k] * p.basis.V64[k * n_residue + i];
        variance += share * h * h, with_area += h * weights[k], of_offset += h * ones[k];
        const double* V = p.basis.V64.data() + k * n_residue;
        const double g = 0.5 * f[k] / p.basis.s64[k] * (V[after] - V[before]);
        slope += share * g * g;
      }
      p.noise.push_back({static_cast<float>(variance), static_cast<float>(with_area), static_cast<float>(of_offset),
                         static_cast<float>(slope)});
    }
    p.rest.push_back(static_cast<double>(r.n_data) - share * p.filters.freedom(c));
  }
  return p;
}

void point_at(DeconvolutionRun& r, const DeconvolutionPlan& p) {
  r.U = p.basis.U.data(), r.V = p.basis.V.data(), r.s = p.basis.s.data(), r.step_end = p.basis.step_end.data();
  r.weight2 = p.weight2.data(), r.left = p.left.data(), r.norm = p.norm.data(), r.slope = p.slope.data();
  r.freedom = p.freedom.data(), r.area_weight = p.area_weight.data(), r.moment_weight = p.moment_weight.data();
}

}  // namespace larmor::dsc
