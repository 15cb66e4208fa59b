// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/perfusion/common/cubic.hpp>
#include <larmor/perfusion/dce/time_grid.hpp>

namespace larmor::dce {
namespace {

/// Piecewise-linear value; 0 before the first sample, the last one held.
double linear_value(const Aif& a, double t) {
  if (t < a.times.front()) return 0.0;
  if (t >= a.times.back()) return a.values.back();
  const auto i = static_cast<std::size_t>(std::upper_bound(a.times.begin(), a.times.end(), t) - a.times.begin());
  const double s = (t - a.times[i - 1]) / (a.times[i] - a.times[i - 1]);
  return a.values[i - 1] + s * (a.values[i] - a.values[i - 1]);
}

}  // namespace

TimeGridBuilder::TimeGridBuilder(std::span<const double> frames, std::span<const Aif> inputs, double delay,
                                 bool lagged) {
  std::vector<Aif> moved;
  for (const Aif& a : inputs) {
    moved.push_back(a);
    if (delay == 0 || lagged) continue;  // lagged kernels shift by themselves
    const perfusion::CubicCurve curve(a.times, a.values);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double t = a.times[i] - delay;
      // Before the first sample the input is what it was at the first: a measured baseline is not exactly zero.
      moved.back().values[i] = t < a.times.front() ? a.values.front() : curve.value(t);
    }
  }
  inputs = moved;

  double first = inputs[0].times.front();
  for (const Aif& a : inputs) first = std::min(first, a.times.front());
  if (lagged) first = std::min(first, frames.front());  // a negative delay brings the input forward
  const double last = frames.back();
  std::vector<double> all;
  for (const Aif& a : inputs)
    for (const double t : a.times)
      if (t <= last) all.push_back(t);
  for (const double t : frames)
    if (t >= first) all.push_back(t);
  if (all.empty()) all.push_back(first);
  std::sort(all.begin(), all.end());
  // Samples and frames that differ by rounding are one node: a step of 1e-12 s would only add noise.
  const double same = 1e-9 * std::max(1e-3, last - first);
  for (const double t : all)
    if (nodes_.empty() || t > nodes_.back() + same) nodes_.push_back(t);

  grid_.n_out = static_cast<int>(frames.size());
  for (const double t : frames) {
    if (t < nodes_.front() - same) {
      ++grid_.n_before;
      out_node_.push_back(0);
      continue;
    }
    const auto at = std::lower_bound(nodes_.begin(), nodes_.end(), t - 1.5 * same) - nodes_.begin();
    out_node_.push_back(static_cast<int>(std::min<std::ptrdiff_t>(at, std::ssize(nodes_) - 1)));
  }

  const std::size_t n = nodes_.size();
  for (std::size_t j = 0; j + 1 < n; ++j) {
    const double step = nodes_[j + 1] - nodes_[j];
    // Steps equal to within a part in 1e6 of a frame jitter by rounding of the header's times; they are one kind only
    // when they agree to 1e-9, which leaves the result unchanged to that order.
    int kind = -1;
    for (std::size_t u = 0; u < kind_dt_.size() && u < 16; ++u)
      if (std::abs(kind_dt_[u] - step) <= 1e-9 * step) kind = static_cast<int>(u);
    if (kind < 0) kind = static_cast<int>(kind_dt_.size()), kind_dt_.push_back(step);
    dt_.push_back(step), inverse_dt_.push_back(1 / step), kind_.push_back(kind);
    if (j % steps_ahead == 0) longest_ahead_.push_back(step);
    longest_ahead_.back() = std::max(longest_ahead_.back(), step);
  }
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    for (const double t : nodes_) input_[k].push_back(linear_value(inputs[k], t));
    for (std::size_t j = 0; j + 1 < n; ++j) {
      fall_[k].push_back(dt_[j] * (input_[k][j] - input_[k][j + 1]));
      held_[k].push_back(dt_[j] * input_[k][j + 1]);
    }
    integral_[k].assign(n, 0.0);
    for (std::size_t j = 0; j + 1 < n; ++j)
      integral_[k][j + 1] = integral_[k][j] + 0.5 * dt_[j] * (input_[k][j] + input_[k][j + 1]);
  }
  if (lagged) tabulate(inputs, last);

  grid_.out_node = out_node_.data();
  grid_.n_nodes = static_cast<int>(n);
  grid_.dt = dt_.data(), grid_.inverse_dt = inverse_dt_.data();
  grid_.longest_ahead = longest_ahead_.data();
  grid_.kind = kind_.data(), grid_.n_kinds = static_cast<int>(kind_dt_.size()), grid_.kind_dt = kind_dt_.data();
  grid_.node_time = nodes_.data();
  for (int k = 0; k < max_inputs; ++k) {
    const auto from = static_cast<std::size_t>(k) < inputs.size() ? static_cast<std::size_t>(k) : 0;
    grid_.fall[k] = fall_[from].data(), grid_.held[k] = held_[from].data();
    grid_.input[k] = input_[from].data(), grid_.integral[k] = integral_[from].data();
    grid_.table[k] = table_[from].data();
  }
}

void TimeGridBuilder::tabulate(std::span<const Aif> inputs, double last) {
  const double start = nodes_.front();
  double cell = last - start;
  for (const Aif& a : inputs)
    for (std::size_t i = 1; i < a.size(); ++i) cell = std::min(cell, a.times[i] - a.times[i - 1]);
  constexpr double most_cells = 16384;  // 1 MB: within the second-level cache
  cell = std::max(cell, (last - start) / most_cells);
  const int n = std::max(1, static_cast<int>(std::ceil((last - start) / cell - 1e-6)));
  grid_.table_start = start, grid_.cell = cell, grid_.inverse_cell = 1 / cell, grid_.n_cells = n;

  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const perfusion::CubicCurve curve(inputs[k].times, inputs[k].values);
    std::vector<double>& table = table_[k];
    table.assign(table_row * static_cast<std::size_t>(n + 1), 0.0);
    double integral = 0, value = curve.value(start), slope = curve.slope(start);
    for (int i = 0; i <= n; ++i) {
      double* row = table.data() + static_cast<std::ptrdiff_t>(i) * table_row;
      row[0] = value, row[4] = integral;
      if (i == n) break;  // after the end the input is held
      const double t = start + (i + 1) * cell, next = curve.value(t), next_slope = curve.slope(t);
      const double m0 = slope * cell, m1 = next_slope * cell, rise = next - value;
      row[1] = m0, row[2] = 3 * rise - 2 * m0 - m1, row[3] = m0 + m1 - 2 * rise;
      integral += cell * (row[0] + row[1] / 2 + row[2] / 3 + row[3] / 4);
      value = next, slope = next_slope;
    }
  }
}

}  // namespace larmor::dce
