// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/recon/parallel/grappa_grid.hpp>
#include <map>

namespace larmor::recon {

SampleGrid::SampleGrid(const Array& mask) {
  for (int a = 0; a < mask.rank(); ++a) n_[static_cast<std::size_t>(a)] = mask.extent(a);
  const auto m = mask.span<bool>();
  mask_.assign(m.begin(), m.end());
}

std::int64_t SampleGrid::point(const Place& p) const {
  std::int64_t out = 0;
  for (std::size_t a = 3; a-- > 0;) {
    const std::int64_t n = n_[a];
    std::int64_t at = p[a];
    if (at < -n || at >= 2 * n) at %= n;  // seldom; a quotient costs as much as all the rest
    out = out * n + (at < 0 ? at + n : at >= n ? at - n : at);
  }
  return out;
}

Place SampleGrid::gaps() const {
  Place out{1, 1, 1};
  for (std::size_t a = 0; a < 3; ++a) {
    std::vector<char> any(static_cast<std::size_t>(n_[a]), 0);
    for (std::int64_t i = 0; i < points(); ++i)
      if (measured(i)) any[static_cast<std::size_t>(place(i)[a])] = 1;
    std::int64_t last = -1;
    for (std::int64_t k = 0; k < n_[a]; ++k)
      if (any[static_cast<std::size_t>(k)]) {
        if (last >= 0) out[a] = std::max(out[a], k - last);
        last = k;
      }
  }
  return out;
}

Box SampleGrid::calibration() const {
  Box box;
  const Place middle{n_[0] / 2, n_[1] / 2, n_[2] / 2};
  if (!measured(point(middle))) return {{0, 0, 0}, {0, 0, 0}};
  for (std::size_t a = 0; a < 3; ++a) box.begin[a] = middle[a], box.end[a] = middle[a] + 1;
  const auto full = [&](const Box& b) {
    for (auto z = b.begin[2]; z < b.end[2]; ++z)
      for (auto y = b.begin[1]; y < b.end[1]; ++y)
        for (auto x = b.begin[0]; x < b.end[0]; ++x)
          if (!measured(point({x, y, z}))) return false;
    return true;
  };
  for (bool grown = true; grown;) {
    grown = false;
    for (std::size_t a = 0; a < 3; ++a)
      for (const bool up : {true, false}) {
        Box face = box;
        if (up)
          face.begin[a] = box.end[a], face.end[a] = box.end[a] + 1;
        else
          face.begin[a] = box.begin[a] - 1, face.end[a] = box.begin[a];
        if (face.begin[a] < 0 || face.end[a] > n_[a] || !full(face)) continue;
        (up ? box.end[a] : box.begin[a]) += up ? 1 : -1;
        grown = true;
      }
  }
  return box;
}

std::vector<Pattern> patterns_of(const SampleGrid& grid, const Place& reach, std::size_t most) {
  std::vector<Place> window;
  for (auto z = -reach[2]; z <= reach[2]; ++z)
    for (auto y = -reach[1]; y <= reach[1]; ++y)
      for (auto x = -reach[0]; x <= reach[0]; ++x) window.push_back({x, y, z});
  std::map<std::string, Pattern> found;
  std::string key(window.size(), '0');
  for (std::int64_t i = 0; i < grid.points(); ++i) {
    if (grid.measured(i)) continue;
    const Place at = grid.place(i);
    for (std::size_t w = 0; w < window.size(); ++w)
      key[w] =
          grid.measured(grid.point({at[0] + window[w][0], at[1] + window[w][1], at[2] + window[w][2]})) ? '1' : '0';
    Pattern& pattern = found[key];
    if (pattern.missing.empty()) {
      if (found.size() > most)
        throw Error(Errc::range, fmt::format("grappa: more than {} patterns of measured neighbours", most),
                    "the sampling is irregular: use recon.pics");
      for (std::size_t w = 0; w < window.size(); ++w)
        if (key[w] == '1') pattern.sources.push_back(window[w]);
    }
    pattern.missing.push_back(i);
  }
  std::vector<Pattern> out;
  for (auto& [name, pattern] : found) out.push_back(std::move(pattern));
  return out;
}

}  // namespace larmor::recon
