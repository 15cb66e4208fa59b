// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/recon/nufft/plan.hpp>
#include <numbers>

namespace larmor::recon::nufft {
namespace {

/// Radices whose product is n, or none: few passes over the line, the widest first, so that pieces are small at once.
std::vector<int> radices(std::int64_t n) {
  int twos = 0, threes = 0, fives = 0;
  for (; n % 2 == 0; n /= 2) ++twos;
  for (; n % 3 == 0; n /= 3) ++threes;
  for (; n % 5 == 0; n /= 5) ++fives;
  if (n != 1) return {};
  std::vector<int> out;
  // What is left of the twos after eights goes into sixes when there are threes.
  while (twos % 3 != 0 && threes > 0) out.push_back(6), --twos, --threes;
  while (twos > 4 || twos == 3) out.push_back(8), twos -= 3;
  while (twos >= 2) out.push_back(4), twos -= 2;
  if (twos) out.push_back(2);
  while (fives-- > 0) out.push_back(5);
  while (threes-- > 0) out.push_back(3);
  std::sort(out.rbegin(), out.rend());
  return out;
}

bool fast(std::int64_t n) {
  for (const int r : {2, 3, 5})
    while (n % r == 0) n /= r;
  return n == 1;
}

}  // namespace

LineTables line_tables(std::int64_t n) {
  LineTables out;
  const auto radix = radices(n);
  out.fft.n = static_cast<std::int32_t>(n);
  out.fft.stages = static_cast<std::int32_t>(radix.size());
  std::vector<std::size_t> begin;
  std::int64_t length = n;
  for (const int r : radix) {
    begin.push_back(out.twiddles.size());
    for (std::int64_t p = 0; p < length / r; ++p)
      for (int k = 1; k < r; ++k) {
        const double phase = -2 * std::numbers::pi * static_cast<double>(p * k) / static_cast<double>(length);
        out.twiddles.push_back(static_cast<float>(std::cos(phase)));
        out.twiddles.push_back(static_cast<float>(std::sin(phase)));
      }
    length /= r;
  }
  // Frequency k1 + r1 (k2 + r2 (k3 ...)) lands at k1 m1 + k2 m2 + ..., m the length of a piece after each stage.
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t rest = k, piece = n, at = 0;
    for (const int r : radix) piece /= r, at += rest % r * piece, rest /= r;
    out.order.push_back(static_cast<std::int32_t>(at));
  }
  out.fft.order = out.order.data();
  for (std::size_t i = 0; i < radix.size(); ++i) {
    out.fft.radix[i] = radix[i];
    out.fft.twiddles[i] = out.twiddles.data() + begin[i];  // moves with the vector
  }
  return out;
}

std::vector<std::int64_t> line_lengths(std::int64_t n) {
  std::vector<std::int64_t> out;
  for (std::int64_t N = n; out.empty() || N <= n + n * 3 / 10; ++N)
    if (fast(N)) out.push_back(N);
  return out;
}

double line_cost(std::int64_t n) {
  double cost = 3;  // in and out
  for (const int r : radices(n)) cost += r == 2 ? 4 : r == 3 ? 5.2 : r == 4 ? 5.2 : r == 5 ? 7.5 : r == 6 ? 7 : 7.5;
  return cost;
}

}  // namespace larmor::recon::nufft
