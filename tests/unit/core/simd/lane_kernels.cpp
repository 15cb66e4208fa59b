// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set; lane_test.cpp calls every copy.
#include <larmor/core/simd/dual.hpp>

namespace simd = larmor::simd;
using P = simd::Pack<double>;
using F = simd::Pack<float>;

#define NAME(f) LARMOR_ISA_JOIN(f##_, LARMOR_ISA)

extern "C" {
int NAME(lane_size)() { return P::size; }
void NAME(lane_exp)(const double* x, double* y, int n) {
  for (int i = 0; i + P::size <= n; i += P::size) simd::store(y + i, simd::exp(simd::load<P>(x + i)));
}
void NAME(lane_expf)(const float* x, float* y, int n) {
  for (int i = 0; i + F::size <= n; i += F::size) simd::store(y + i, simd::exp(simd::load<F>(x + i)));
}
void NAME(lane_log)(const double* x, double* y, int n) {
  for (int i = 0; i + P::size <= n; i += P::size) simd::store(y + i, simd::log(simd::load<P>(x + i)));
}
// f(a, b) = exp(-a) / b + sqrt(a b) - log(b), value and both derivatives.
void NAME(lane_dual)(const double* a, const double* b, double* v, double* da, double* db, int n) {
  using D = simd::Dual<P, 2>;
  for (int i = 0; i + P::size <= n; i += P::size) {
    const D x = D::variable(simd::load<P>(a + i), 0), y = D::variable(simd::load<P>(b + i), 1);
    const D f = simd::exp(-x) / y + simd::sqrt(x * y) - simd::log(y);
    simd::store(v + i, f.v), simd::store(da + i, f.d[0]), simd::store(db + i, f.d[1]);
  }
}
// max(0, min(x, 1)) and whether any or all exceed 1.
void NAME(lane_select)(const double* x, double* y, int* any_over, int* all_over) {
  const P a = simd::load<P>(x);
  simd::store(y, simd::select(a > P(1.0), P(1.0), simd::max(a, P(0.0))));
  *any_over = simd::any(a > P(1.0));
  *all_over = simd::all(a > P(1.0));
}
}
