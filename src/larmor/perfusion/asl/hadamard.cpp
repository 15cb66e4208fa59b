// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/differences.hpp>

namespace larmor::asl {
namespace {

using Signs = std::vector<std::vector<int>>;

/// Paley's matrix of order 12: quadratic residues modulo 11.
Signs order_12() {
  const auto character = [](int a) {
    a = (a % 11 + 11) % 11;
    if (a == 0) return 0;
    for (int x = 1; x < 11; ++x)
      if (x * x % 11 == a) return 1;
    return -1;
  };
  Signs h(12, std::vector<int>(12, 1));
  for (int i = 0; i < 11; ++i)
    for (int j = 0; j < 11; ++j) h[i + 1][j + 1] = i == j ? 1 : character(j - i);
  // The first row and column of 1 and -1 as Paley has them, signs turned so that the first column is 1 throughout.
  for (int i = 1; i < 12; ++i) h[i][0] = -1;
  for (int i = 1; i < 12; ++i)
    for (int j = 0; j < 12; ++j) h[i][j] = -h[i][j];
  return h;
}

Signs doubled(const Signs& h) {
  const std::size_t n = h.size();
  Signs d(2 * n, std::vector<int>(2 * n));
  for (std::size_t i = 0; i < 2 * n; ++i)
    for (std::size_t j = 0; j < 2 * n; ++j) d[i][j] = h[i % n][j % n] * (i >= n && j >= n ? -1 : 1);
  return d;
}

}  // namespace

std::vector<std::vector<std::uint8_t>> hadamard_encoding(int order) {
  Signs h;
  for (int base : {1, 12})
    for (int n = base; n <= order; n *= 2)
      if (n == order && order >= 2) {
        h = base == 1 ? Signs{{1}} : order_12();
        while (static_cast<int>(h.size()) < order) h = doubled(h);
      }
  if (h.empty() || order > 192)
    throw Error(Errc::range, fmt::format("a time encoding of {} steps", order),
                "give 2, 4, 8, 12, 16, 24, 32, 48, 64, 96 or 128, or the encoding itself");
  std::vector<std::vector<std::uint8_t>> encoding;
  for (const auto& row : h) {
    encoding.emplace_back();
    for (std::size_t j = 1; j < row.size(); ++j) encoding.back().push_back(row[j] > 0 ? 0 : 1);
  }
  return encoding;
}

// Volume k = static + sum over j of -(label of j) x encoding(k, j). With the signs s = 1 - 2 x encoding and the mean
// taken out, least squares gives control - label; for a Hadamard matrix it is 2 / n times its transpose.
WeightRows decoding_rows(const std::vector<std::vector<std::uint8_t>>& encoding) {
  const std::size_t n = encoding.size(), m = n ? encoding[0].size() : 0;
  for (const auto& row : encoding)
    if (row.size() != m || m == 0)
      throw Error(Errc::shape, fmt::format("an encoding of {} sub-boluses among ones of {}", row.size(), m),
                  "give as many numbers in each row");
  const std::size_t k = m + 1;  // sub-boluses and static tissue
  // (A^T A | A^T) by Gauss-Jordan, A = [1, -encoding].
  std::vector<std::vector<double>> a(k, std::vector<double>(k + n));
  const auto entry = [&](std::size_t row, std::size_t column) {
    return column == 0 ? 1.0 : -static_cast<double>(encoding[row][column - 1] != 0);
  };
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j)
      for (std::size_t r = 0; r < n; ++r) a[i][j] += entry(r, i) * entry(r, j);
    for (std::size_t r = 0; r < n; ++r) a[i][k + r] = entry(r, i);
  }
  for (std::size_t c = 0; c < k; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c; r < k; ++r)
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    if (!(std::abs(a[pivot][c]) > 1e-9))
      throw Error(Errc::numeric, fmt::format("{} encodings do not tell {} sub-boluses apart", n, m),
                  "use a Hadamard encoding, with at least one more encoding than sub-boluses");
    std::swap(a[c], a[pivot]);
    const double p = a[c][c];
    for (double& x : a[c]) x /= p;
    for (std::size_t r = 0; r < k; ++r) {
      if (r == c) continue;
      const double q = a[r][c];
      for (std::size_t j = c; j < k + n; ++j) a[r][j] -= q * a[c][j];
    }
  }
  WeightRows rows;
  for (std::size_t j = 1; j < k; ++j) rows.emplace_back(a[j].begin() + static_cast<std::ptrdiff_t>(k), a[j].end());
  return rows;
}

}  // namespace larmor::asl
