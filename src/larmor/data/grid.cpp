// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/data/grid.hpp>

namespace larmor {

Affine regridded(const Affine& affine, const std::array<double, 3>& first, const std::array<double, 3>& step) {
  Affine out = affine;
  const auto origin = affine.apply(first[0], first[1], first[2]);
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t c = 0; c < 3; ++c) out.m[r][c] = affine.m[r][c] * step[c];
    out.m[r][3] = origin[r];
  }
  return out;
}

GridStep resized(std::int64_t n, std::int64_t m) {
  const double step = static_cast<double>(n) / static_cast<double>(m);
  return {(step - 1) / 2, step};
}

Affine permuted(const Affine& affine, const std::array<int, 3>& order) {
  Affine out = affine;
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c) out.m[r][c] = affine.m[r][static_cast<std::size_t>(order[c])];
  return out;
}

Grid with_spacing(const Grid& grid, const std::array<double, 3>& spacing) {
  Grid out;
  const auto old = grid.affine.spacing();
  std::array<double, 3> first{}, step{};
  for (std::size_t a = 0; a < 3; ++a) {
    if (!(spacing[a] > 0) || !std::isfinite(spacing[a]))
      throw Error(Errc::range, "a voxel size of " + std::to_string(spacing[a]) + " mm", "give a positive length [mm]");
    const double n = static_cast<double>(grid.size[a]);
    const double m = std::max(1.0, std::round(n * old[a] / spacing[a]));
    out.size[a] = static_cast<std::int64_t>(m);
    step[a] = spacing[a] / old[a];
    first[a] = (n - 1) / 2 - step[a] * (m - 1) / 2;
  }
  out.affine = regridded(grid.affine, first, step);
  return out;
}

Affine rotation(const std::array<double, 3>& angles, const std::array<double, 3>& about) {
  Affine out;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::size_t u = (axis + 1) % 3, v = (axis + 2) % 3;
    Affine one;
    one.m[u][u] = one.m[v][v] = std::cos(angles[axis]);
    one.m[v][u] = std::sin(angles[axis]), one.m[u][v] = -std::sin(angles[axis]);
    out = one * out;
  }
  const auto turned = out.apply(about[0], about[1], about[2]);
  for (std::size_t r = 0; r < 3; ++r) out.m[r][3] = about[r] - turned[r];
  return out;
}

}  // namespace larmor
