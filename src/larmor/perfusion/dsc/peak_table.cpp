// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dsc/peak_table.hpp>
#include <numeric>

namespace larmor::dsc {
namespace {

constexpr std::size_t n_nodes = 28;

struct Top {
  double value, at, bend;
};
/// Highest of the first n samples, and where the parabola through it has its top.
Top top_of(const std::vector<double>& R, std::size_t n, bool circular) {
  const auto i =
      static_cast<std::size_t>(std::max_element(R.begin(), R.begin() + static_cast<std::ptrdiff_t>(n)) - R.begin());
  const std::size_t L = R.size();
  const double before = i > 0 ? R[i - 1] : circular ? R[L - 1] : 0, after = i + 1 < L ? R[i + 1] : circular ? R[0] : 0;
  const double bend = before - 2 * R[i] + after;
  const double move = bend < 0 ? std::clamp(0.5 * (before - after) / bend, -0.5, 0.5) : 0;
  return {R[i], static_cast<double>(i) + move, std::max(0.0, -bend)};
}

}  // namespace

double Filters::freedom(int c) const {
  const auto r = row(c);
  return std::accumulate(r.begin(), r.end(), 0.0);
}

PeakTable::PeakTable(const Basis& basis, const Filters& filters, const ResidueModel& residue,
                     std::span<const double> aif, Rule rule, int n_search) {
  for (std::size_t k = 0; k < n_nodes; ++k)
    MTT_.push_back(shortest * std::pow(longest / shortest, static_cast<double>(k) / (n_nodes - 1)));
  // A causal residue starts at 0; any other between two frames, unless the rectangle rule knows whole steps only.
  const bool circular = basis.structure == Structure::circulant;
  const std::size_t n_delays = circular && rule == Rule::trapezoid ? 4 : 1;
  const double shape = residue.shapes.size() > 1 ? residue.shapes[residue.shapes.size() / 2] : residue.shapes[0];
  const auto n_data = static_cast<std::size_t>(basis.n_data), n_residue = static_cast<std::size_t>(basis.n_residue),
             n_modes = static_cast<std::size_t>(basis.n_modes);
  const auto choices = static_cast<std::size_t>(filters.n_choices);
  seen_.assign(choices * n_nodes, 0), gain_ = lag_ = bend_ = seen_;
  parallel_for(n_nodes, 1, [&](std::size_t begin, std::size_t end) {
    std::vector<double> beta(n_modes), R(n_residue), used(n_modes);
    for (std::size_t node = begin; node < end; ++node)
      for (std::size_t d = 0; d < n_delays; ++d) {
        const double delay = basis.step * static_cast<double>(d) / static_cast<double>(n_delays);
        const auto curve = tissue_curve(aif, basis.step, residue, MTT_[node], shape, delay, rule);
        for (std::size_t k = 0; k < n_modes; ++k)
          beta[k] = std::inner_product(curve.begin(), curve.end(),
                                       basis.U64.begin() + static_cast<std::ptrdiff_t>(k * n_data), 0.0);
        // Truncations are nested: only the modes that a choice adds need to be summed.
        std::fill(R.begin(), R.end(), 0.0), std::fill(used.begin(), used.end(), 0.0);
        for (std::size_t c = 0; c < choices; ++c) {
          const auto f = filters.row(static_cast<int>(c));
          for (std::size_t k = 0; k < n_modes; ++k) {
            if (f[k] == used[k]) continue;
            const double part = (f[k] - used[k]) * beta[k] / basis.s64[k];
            const double* V = basis.V64.data() + k * n_residue;
            for (std::size_t i = 0; i < n_residue; ++i) R[i] += part * V[i];
            used[k] = f[k];
          }
          const Top top = top_of(R, static_cast<std::size_t>(n_search), circular);
          const double share = 1.0 / static_cast<double>(n_delays);
          gain_[c * n_nodes + node] += share * top.value;
          bend_[c * n_nodes + node] += share * top.bend;
          lag_[c * n_nodes + node] += share * (basis.step * (top.at - basis.before) - delay);
        }
      }
  });
  for (std::size_t c = 0; c < choices; ++c)
    for (std::size_t k = 0; k < n_nodes; ++k) {
      const std::size_t at = c * n_nodes + k;
      gain_[at] = std::max(gain_[at], 1e-6);
      seen_[at] = MTT_[k] / gain_[at];
      if (k > 0) seen_[at] = std::max(seen_[at], seen_[at - 1] * (1 + 1e-9));
    }
}

PeakTable::Entry PeakTable::at(int choice, double seen) const {
  Entry e;
  if (MTT_.empty()) return e;
  const double *row = seen_.data() + static_cast<std::size_t>(choice) * n_nodes,
               *lag = lag_.data() + (row - seen_.data()), *bend = bend_.data() + (row - seen_.data());
  e.inside = seen > row[0] && seen < row[n_nodes - 1];
  seen = std::clamp(seen, row[0], row[n_nodes - 1]);
  const auto k = std::clamp<std::size_t>(static_cast<std::size_t>(std::upper_bound(row, row + n_nodes, seen) - row), 1,
                                         n_nodes - 1) -
                 1;
  const double part = (seen - row[k]) / (row[k + 1] - row[k]);
  const double MTT = MTT_[k] + part * (MTT_[k + 1] - MTT_[k]);
  e.gain = MTT / seen;
  e.lag = lag[k] + part * (lag[k + 1] - lag[k]);
  e.bend = bend[k] + part * (bend[k + 1] - bend[k]);
  const double log_ratio = std::log(MTT_[1] / MTT_[0]);
  e.sensitivity = log_ratio / std::max(std::log(row[k + 1] / row[k]), 1e-3 * log_ratio);
  return e;
}

}  // namespace larmor::dsc
