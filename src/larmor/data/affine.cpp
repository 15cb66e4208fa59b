// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/data/image.hpp>

namespace larmor {

Affine Affine::scaling(double dx, double dy, double dz) {
  Affine a;
  a.m[0][0] = dx, a.m[1][1] = dy, a.m[2][2] = dz;
  return a;
}

std::array<double, 3> Affine::apply(double i, double j, double k) const {
  std::array<double, 3> p{};
  for (std::size_t r = 0; r < 3; ++r) p[r] = m[r][0] * i + m[r][1] * j + m[r][2] * k + m[r][3];
  return p;
}

std::array<double, 3> Affine::spacing() const {
  std::array<double, 3> s{};
  // Not std::hypot of three: libstdc++'s drops NaN.
  for (std::size_t c = 0; c < 3; ++c) s[c] = std::sqrt(m[0][c] * m[0][c] + m[1][c] * m[1][c] + m[2][c] * m[2][c]);
  return s;
}

std::string Affine::orientation() const {
  // Greedy on the largest direction cosine left, so that no two axes share a direction even at 45 degrees.
  static constexpr char plus[] = {'R', 'A', 'S'}, minus[] = {'L', 'P', 'I'};
  const auto size = spacing();
  std::string out = "???";
  std::array<bool, 3> row_used{}, column_used{};
  for (int step = 0; step < 3; ++step) {
    double best = -1;
    std::size_t row = 0, column = 0;
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 3; ++c) {
        if (row_used[r] || column_used[c]) continue;
        const double cosine = size[c] > 0 ? std::abs(m[r][c]) / size[c] : 0;
        if (cosine > best) best = cosine, row = r, column = c;
      }
    row_used[row] = column_used[column] = true;
    out[column] = m[row][column] < 0 ? minus[row] : plus[row];
  }
  return out;
}

double Affine::determinant() const {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

Affine Affine::inverse() const {
  const double det = determinant();
  const auto s = spacing();
  // Relative to the box the columns would span, so that a grid of micrometres is not called singular.
  if (!(std::abs(det) > 1e-12 * s[0] * s[1] * s[2]))
    throw Error(Errc::numeric, "the affine is singular: its axes do not span space",
                "check the image's orientation (sform, qform, voxel sizes)");
  Affine out;
  for (std::size_t r = 0; r < 3; ++r)
    for (std::size_t c = 0; c < 3; ++c) {
      const std::size_t r1 = (c + 1) % 3, r2 = (c + 2) % 3, c1 = (r + 1) % 3, c2 = (r + 2) % 3;
      out.m[r][c] = (m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]) / det;
    }
  for (std::size_t r = 0; r < 3; ++r) {
    out.m[r][3] = 0;
    for (std::size_t c = 0; c < 3; ++c) out.m[r][3] -= out.m[r][c] * m[c][3];
  }
  return out;
}

Affine Affine::operator*(const Affine& other) const {
  Affine out;
  for (std::size_t r = 0; r < 4; ++r)
    for (std::size_t c = 0; c < 4; ++c) {
      out.m[r][c] = 0;
      for (std::size_t k = 0; k < 4; ++k) out.m[r][c] += m[r][k] * other.m[k][c];
    }
  return out;
}

double Affine::distance(const Affine& other) const {
  double largest = 0;
  for (std::size_t r = 0; r < 4; ++r)
    for (std::size_t c = 0; c < 4; ++c) largest = std::max(largest, std::abs(m[r][c] - other.m[r][c]));
  return largest;
}

}  // namespace larmor
