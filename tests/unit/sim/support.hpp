// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <complex>
#include <larmor/sim/bloch.hpp>
#include <larmor/sim/blocks.hpp>
#include <limits>
#include <numbers>

namespace larmor::sim::test {

inline constexpr double pi = std::numbers::pi;
inline constexpr double forever = std::numeric_limits<double>::infinity();

inline PulseSpec hard(double FA, double phase = 0, double duration = 1e-5) {
  return {.shape = PulseShape::hard, .FA = FA, .phase = phase, .duration = duration};
}
inline Sequence sequence_of(std::vector<Block> blocks) {
  Sequence s;
  s.blocks = std::move(blocks);
  return s;
}
/// Samples without a gradient, the first at `dwell` / 2.
inline Block samples(std::int64_t n, double dwell) { return readout_block(n, dwell); }

inline std::array<double, 3> final_of(const BlochResult& r, std::size_t spin = 0) {
  const float* m = r.magnetisation.data<float>() + 3 * spin;
  return {static_cast<double>(m[0]), static_cast<double>(m[1]), static_cast<double>(m[2])};
}
inline std::complex<double> signal_of(const BlochResult& r, std::size_t i) {
  return std::complex<double>(r.signal.data<std::complex<float>>()[i]);
}
inline double gap(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  if (a.shape() != b.shape()) return forever;
  const Array x = a.cast(DType::c128).contiguous_copy(), y = b.cast(DType::c128).contiguous_copy();
  double most = 0;
  for (std::int64_t i = 0; i < x.size(); ++i)
    most = std::max(most, std::abs(x.data<std::complex<double>>()[i] - y.data<std::complex<double>>()[i]));
  return most;
}

}  // namespace larmor::sim::test
