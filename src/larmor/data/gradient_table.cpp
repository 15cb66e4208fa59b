// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/data/sequence.hpp>

namespace larmor {
namespace {

// Roundings of times that mean the same moment.
constexpr double same_time = 1e-10;

/// One axis, from left to right. A jump has two corners of one time, and two values there.
struct Walk {
  std::vector<Corner> corners;
  std::size_t next = 0;

  /// Value just before or just after t; t does not decrease between calls.
  double before(double t) {
    while (next < corners.size() && corners[next].time < t - same_time) ++next;
    return linear(t, next);
  }
  double after(double t) {
    std::size_t i = next;
    while (i < corners.size() && corners[i].time <= t + same_time) ++i;
    if (i > 0 && corners[i - 1].time >= t - same_time) return i < corners.size() ? corners[i - 1].value : 0.0;
    return linear(t, i);
  }

 private:
  double linear(double t, std::size_t i) const {
    if (i == 0 || i >= corners.size()) return 0;
    const Corner &a = corners[i - 1], &b = corners[i];
    if (b.time - a.time <= same_time) return a.value;
    return a.value + (b.value - a.value) * std::clamp((t - a.time) / (b.time - a.time), 0.0, 1.0);
  }
};

void add_block(const Block& block, double start, GradientTable& table) {
  std::array<Walk, 3> walks;
  std::vector<double> times{0.0, block.duration};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (!block.g[axis]) continue;
    walks[axis].corners = block.g[axis]->corners();
    for (const auto& c : walks[axis].corners) times.push_back(std::min(c.time, block.duration));
  }
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end(), [](double a, double b) { return b - a <= same_time; }),
              times.end());
  const auto push = [&](double t, const std::array<double, 3>& v) {
    const bool same = !table.times.empty() && start + t - table.times.back() <= same_time &&
                      table.values[0].back() == v[0] && table.values[1].back() == v[1] &&
                      table.values[2].back() == v[2];
    if (same) return;
    table.times.push_back(start + t);
    for (std::size_t axis = 0; axis < 3; ++axis) table.values[axis].push_back(v[axis]);
  };
  for (const double t : times) {
    std::array<double, 3> before{}, after{};
    for (std::size_t axis = 0; axis < 3; ++axis)
      before[axis] = walks[axis].before(t), after[axis] = walks[axis].after(t);
    if (t > 0) push(t, before);
    if (t < block.duration) push(t, after);
  }
}

}  // namespace

GradientTable gradient_table(const Sequence& sequence) {
  sequence.check();
  GradientTable table;
  const auto starts = sequence.starts();
  for (std::size_t b = 0; b < sequence.blocks.size(); ++b) add_block(sequence.blocks[b], starts[b], table);
  return table;
}

}  // namespace larmor
