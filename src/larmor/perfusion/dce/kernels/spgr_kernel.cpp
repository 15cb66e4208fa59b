// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/core/simd/lane.hpp>

namespace simd = larmor::simd;
using F = simd::Pack<float>;

namespace {

/// atanh(s) = s (1 + s^2/3 + ...), |s| < 0.1716, where the series to s^9 leaves 2e-9.
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
LARMOR_INLINE F rate_of(F K, F cos_FA, simd::Mask<float>& large) {
  const F zero(0.0f), one(1.0f), two(2.0f);
  const auto possible = (K >= zero) & (K < one);
  const F num = K * (one - cos_FA), den = one - K;
  large = large | (possible & (num > F(0.41421356f) * den));
  return simd::select(possible, two * atanh_small(num / (two * den + num)), F(__builtin_nanf("")));
}

/// The same for any z: 1 + z = m 2^e with m in [sqrt(1/2), sqrt 2), log = e ln 2 + 2 atanh((m - 1) / (m + 1)).
LARMOR_INLINE F any_rate_of(F K, F cos_FA) {
  using ivec = simd::VectorOf<float>::ivec;
  simd::Mask<float> large = F(1.0f) < F(0.0f);
  const F one(1.0f), small_rate = rate_of(K, cos_FA, large);
  const F u = one + K * (one - cos_FA) / (one - K);
  const ivec bits = reinterpret_cast<ivec>((u * F(0.70710678f)).v);
  const ivec e = (bits >> 23) - 126;  // 1 when u sqrt(1/2) is in [1/2, 1)
  const ivec mantissa_scale = (127 - e) << 23;
  const F m = u * F(reinterpret_cast<F::vec>(mantissa_scale)), exponent = F(__builtin_convertvector(e, F::vec));
  return simd::select(large, simd::fma(exponent, F(0.693147181f), F(2.0f) * atanh_small((m - one) / (m + one))),
                      small_rate);
}

}  // namespace

extern "C" void LARMOR_ISA_JOIN(larmor_spgr_to_concentration_,
                                LARMOR_ISA)(const float* signal, const float* scale, const float* cos_FA,
                                            const float* offset, float rate, float* out, float* poison, size_t n) {
  const F r(rate);
  const size_t whole = n - n % F::size;
  simd::Mask<float> large = F(1.0f) < F(0.0f);
  for (size_t i = 0; i < whole; i += F::size) {
    const F C = rate_of(simd::load<F>(signal + i) * simd::load<F>(scale + i), simd::load<F>(cos_FA + i), large) * r -
                simd::load<F>(offset + i);
    simd::store(out + i, C);
    simd::store(poison + i, simd::load<F>(poison + i) + (C - C));
  }
  if (simd::any(large))  // seldom (TR R1 above 0.35): the run again
    for (size_t i = 0; i < whole; i += F::size)
      simd::store(out + i,
                  any_rate_of(simd::load<F>(signal + i) * simd::load<F>(scale + i), simd::load<F>(cos_FA + i)) * r -
                      simd::load<F>(offset + i));
  for (size_t i = whole; i < n; ++i) {
    const F C = any_rate_of(F(signal[i] * scale[i]), F(cos_FA[i])) * r - F(offset[i]);
    out[i] = simd::lane(C, 0);
    poison[i] += out[i] - out[i];
  }
}
