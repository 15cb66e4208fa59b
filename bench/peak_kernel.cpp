// SPDX-License-Identifier: Apache-2.0
// What this core can do at most: fused multiply-adds on independent registers, for the fraction of peak.
#include <larmor/core/simd/lane.hpp>

namespace simd = larmor::simd;
using P = simd::Pack<double>;

/// Runs n rounds of 12 fused multiply-adds; returns a value that depends on all. Floating-point operations: n 24 lanes.
extern "C" double LARMOR_ISA_JOIN(peak_, LARMOR_ISA)(long n, int* lanes) {
  P a[12];
  simd::static_for<12>([&](auto i) LARMOR_LAMBDA { a[i] = P(1.0 + 0.01 * i); });
  P x(0.999999), y(1e-6);
  for (long k = 0; k < n; ++k) simd::static_for<12>([&](auto i) LARMOR_LAMBDA { a[i] = simd::fma(a[i], x, y); });
  double sum = 0;
  simd::static_for<12>([&](auto i) LARMOR_LAMBDA {
    for (int l = 0; l < P::size; ++l) sum += simd::lane(a[i], l);
  });
  *lanes = P::size;
  return sum;
}
