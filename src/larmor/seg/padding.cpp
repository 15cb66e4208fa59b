// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/seg/padding.hpp>

namespace larmor::seg {
namespace {

using Place = std::array<std::int64_t, 3>;

struct Grid {
  Place n;
  explicit Grid(const Array& a) : n{a.shape()[0], a.shape()[1], a.shape()[2]} {}
  std::size_t index(const Place& p) const { return static_cast<std::size_t>((p[2] * n[1] + p[1]) * n[0] + p[0]); }
  Place place(std::size_t i) const {
    const auto v = static_cast<std::int64_t>(i);
    return {v % n[0], v / n[0] % n[1], v / (n[0] * n[1])};
  }
  std::size_t size() const { return static_cast<std::size_t>(n[0] * n[1] * n[2]); }
  bool outer(const Place& p) const {
    for (std::size_t a = 0; a < 3; ++a)
      if (p[a] == 0 || p[a] == n[a] - 1) return true;
    return false;
  }
  template <class F>
  void neighbours(std::size_t i, F&& f) const {
    const Place p = place(i);
    for (std::size_t a = 0; a < 3; ++a)
      for (const int step : {-1, 1}) {
        Place q = p;
        q[a] += step;
        if (q[a] >= 0 && q[a] < n[a]) f(index(q));
      }
  }
};

float most_frequent(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  float best = 0;
  std::ptrdiff_t most = 0;
  for (auto from = values.begin(); from != values.end();) {
    const auto to = std::upper_bound(from, values.end(), *from);
    if (to - from > most) most = to - from, best = *from;
    from = to;
  }
  return best;
}

}  // namespace

Padding find_padding(const Array& values) {
  const Grid grid(values);
  const float* v = values.data<float>();
  std::vector<std::size_t> outer;
  std::vector<float> seen;
  for (std::size_t i = 0; i < grid.size(); ++i)
    if (grid.outer(grid.place(i))) outer.push_back(i), seen.push_back(v[i]);
  const float value = most_frequent(std::move(seen));

  Padding out;
  out.is.assign(grid.size(), 0);
  std::vector<std::size_t> found;
  const auto take = [&](std::size_t i) {
    if (out.is[i] || v[i] != value) return;
    out.is[i] = 1;
    found.push_back(i);
  };
  for (const auto i : outer) take(i);
  for (std::size_t k = 0; k < found.size(); ++k) grid.neighbours(found[k], take);

  out.first = {0, 0, 0}, out.end = grid.n;
  if (100 * found.size() < grid.size() || found.size() == grid.size()) {
    out.is.clear();
    return out;
  }
  out.first = grid.n, out.end = {0, 0, 0};
  for (std::size_t i = 0; i < grid.size(); ++i) {
    if (out.is[i]) continue;
    const Place p = grid.place(i);
    for (std::size_t a = 0; a < 3; ++a)
      out.first[a] = std::min(out.first[a], p[a]), out.end[a] = std::max(out.end[a], p[a] + 1);
  }
  return out;
}

void fill_padding(Array& values, const Padding& padding) {
  if (padding.is.empty()) return;
  const Grid grid(values);
  float* v = values.data<float>();
  auto open = padding.is;
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < grid.size(); ++i)
    if (!open[i]) known.push_back(i);
  for (std::size_t k = 0; k < known.size(); ++k)
    grid.neighbours(known[k], [&](std::size_t i) {
      if (!open[i]) return;
      open[i] = 0, v[i] = v[known[k]];
      known.push_back(i);
    });
}

}  // namespace larmor::seg
