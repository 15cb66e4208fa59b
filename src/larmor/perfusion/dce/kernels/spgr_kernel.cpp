// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/core/simd/lane.hpp>

namespace simd = larmor::simd;
using F = simd::Pack<float>;

namespace {

/// TR R1 = log(1 + z), z = K (1 - cos) / (1 - K), NaN when K is outside [0, 1).
///
/// E1 itself is within TR R1 (a few thousandths) of 1, so -log(E1) in f32 would keep 4 digits; log1p keeps 7.
/// log1p(z) = e ln 2 + 2 atanh(s): below sqrt 2, e = 0 and s = z / (2 + z) directly from z; above, 1 + z = m 2^e with
/// s = (m - 1) / (m + 1). |s| < 0.1716, where the series to s^9 leaves 2e-9.
LARMOR_INLINE F rate_of(F K, F cos_FA) {
  const F zero(0.0f), one(1.0f), two(2.0f), root2(1.41421356f);
  const auto possible = (K >= zero) & (K < one);
  const F num = K * (one - cos_FA), den = one - K;  // z = num / den
  const F u = (num + den) / den;
  const auto small = u < root2;
  using ivec = simd::VectorOf<float>::ivec;
  const ivec bits = reinterpret_cast<ivec>((u * F(0.70710678f)).v);
  const ivec e = (bits >> 23) - 126;  // 1 when u sqrt(1/2) is in [1/2, 1)
  const ivec mantissa_scale = (127 - e) << 23;
  const F m = u * F(reinterpret_cast<F::vec>(mantissa_scale));
  const F exponent = simd::select(small, zero, F(__builtin_convertvector(e, F::vec)));
  const F s = simd::select(small, num, m - one) / simd::select(small, two * den + num, m + one);
  const F ss = s * s;
  F p = F(1.0f / 9);
  p = simd::fma(p, ss, F(1.0f / 7));
  p = simd::fma(p, ss, F(1.0f / 5));
  p = simd::fma(p, ss, F(1.0f / 3));
  p = simd::fma(p, ss, one);
  return simd::select(possible, simd::fma(exponent, F(0.693147181f), two * s * p), F(__builtin_nanf("")));
}

}  // namespace

extern "C" void LARMOR_ISA_JOIN(larmor_spgr_to_concentration_,
                                LARMOR_ISA)(const float* signal, const float* scale, const float* cos_FA,
                                            const float* offset, float rate, float* out, float* poison, size_t n) {
  const F r(rate);
  const size_t whole = n - n % F::size;
  for (size_t i = 0; i < whole; i += F::size) {
    const F C = rate_of(simd::load<F>(signal + i) * simd::load<F>(scale + i), simd::load<F>(cos_FA + i)) * r -
                simd::load<F>(offset + i);
    simd::store(out + i, C);
    simd::store(poison + i, simd::load<F>(poison + i) + (C - C));
  }
  for (size_t i = whole; i < n; ++i) {
    const F C = rate_of(F(signal[i] * scale[i]), F(cos_FA[i])) * r - F(offset[i]);
    out[i] = simd::lane(C, 0);
    poison[i] += out[i] - out[i];
  }
}
