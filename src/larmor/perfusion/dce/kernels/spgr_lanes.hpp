// SPDX-License-Identifier: Apache-2.0
#pragma once
// The spoiled-gradient-echo equation solved for R1, over packs of floats on the CPU, one number in CUDA.
#include <larmor/core/simd/lane.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {
namespace spgr {

using simd::LaneTraits;

/// atanh(s) = s (1 + s^2/3 + ...), |s| < 0.1716, where the series to s^9 leaves 2e-9.
template <class F>
LARMOR_INLINE F atanh_small(F s) {
  const F ss = s * s;
  F p = F(1.0f / 9);
  p = simd::fma(p, ss, F(1.0f / 7));
  p = simd::fma(p, ss, F(1.0f / 5));
  p = simd::fma(p, ss, F(1.0f / 3));
  return s * simd::fma(p, ss, F(1.0f));
}

/// TR R1 = log(1 + z), z = num / den = K (1 - cos) / (1 - K), NaN when K is outside [0, 1).
///
/// E1 itself is within TR R1 (a few thousandths) of 1, so -log(E1) in f32 would keep 4 digits; log1p keeps 7:
/// log(1 + z) = 2 atanh(z / (2 + z)), directly from z, for z < sqrt 2 - 1. Where z is larger `large` is set.
template <class F>
LARMOR_INLINE F rate_of(F K, F cos_FA, typename LaneTraits<F>::mask& large) {
  const F zero(0.0f), one(1.0f), two(2.0f);
  const auto possible = (K >= zero) & (K < one);
  const F num = K * (one - cos_FA), den = one - K;
  large = large | (possible & (num > F(0.41421356f) * den));
  return simd::select(possible, two * atanh_small(num / (two * den + num)), F(__builtin_nanf("")));
}

/// The same for any z: 1 + z = m 2^e with m in [sqrt(1/2), sqrt 2), log = e ln 2 + 2 atanh((m - 1) / (m + 1)).
template <class F>
LARMOR_INLINE F any_rate_of(F K, F cos_FA) {
  typename LaneTraits<F>::mask large = F(1.0f) < F(0.0f);
  const F one(1.0f), small_rate = rate_of(K, cos_FA, large);
  const F u = one + K * (one - cos_FA) / (one - K);
  F exponent;
  const F m = simd::split_exponent(u, exponent);
  return simd::select(large, simd::fma(exponent, F(0.693147181f), F(2.0f) * atanh_small((m - one) / (m + one))),
                      small_rate);
}

}  // namespace spgr
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
