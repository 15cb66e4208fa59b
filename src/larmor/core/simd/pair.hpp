// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two packs as one lane type: a kernel whose time goes into waiting for its own results does two pieces of work at
// once.
#include <larmor/core/simd/lane.hpp>

namespace larmor::simd {
inline namespace LARMOR_ISA_NAMESPACE {

template <class M>
struct PairMask {
  M a, b;
  LARMOR_INLINE friend PairMask operator&(PairMask x, PairMask y) { return {x.a & y.a, x.b & y.b}; }
  LARMOR_INLINE friend PairMask operator|(PairMask x, PairMask y) { return {x.a | y.a, x.b | y.b}; }
  LARMOR_INLINE friend PairMask operator!(PairMask x) { return {!x.a, !x.b}; }
};

template <class P>
struct Pair {
  using scalar = typename LaneTraits<P>::scalar;
  using mask = PairMask<typename LaneTraits<P>::mask>;
  P a, b;
  LARMOR_INLINE Pair() {}
  LARMOR_INLINE explicit Pair(scalar x) : a(x), b(x) {}
  LARMOR_INLINE Pair(P a_, P b_) : a(a_), b(b_) {}
  LARMOR_INLINE friend Pair operator+(Pair x, Pair y) { return {x.a + y.a, x.b + y.b}; }
  LARMOR_INLINE friend Pair operator-(Pair x, Pair y) { return {x.a - y.a, x.b - y.b}; }
  LARMOR_INLINE friend Pair operator*(Pair x, Pair y) { return {x.a * y.a, x.b * y.b}; }
  LARMOR_INLINE friend Pair operator/(Pair x, Pair y) { return {x.a / y.a, x.b / y.b}; }
  LARMOR_INLINE friend Pair operator-(Pair x) { return {-x.a, -x.b}; }
  LARMOR_INLINE Pair& operator+=(Pair y) { return *this = *this + y; }
  LARMOR_INLINE Pair& operator-=(Pair y) { return *this = *this - y; }
  LARMOR_INLINE friend mask operator<(Pair x, Pair y) { return {x.a < y.a, x.b < y.b}; }
  LARMOR_INLINE friend mask operator<=(Pair x, Pair y) { return {x.a <= y.a, x.b <= y.b}; }
  LARMOR_INLINE friend mask operator>(Pair x, Pair y) { return {x.a > y.a, x.b > y.b}; }
  LARMOR_INLINE friend mask operator>=(Pair x, Pair y) { return {x.a >= y.a, x.b >= y.b}; }
};

template <class P>
struct LaneTraits<Pair<P>> {
  using scalar = typename LaneTraits<P>::scalar;
  using mask = typename Pair<P>::mask;
  static constexpr int size = 2 * LaneTraits<P>::size;
};

template <class P>
LARMOR_INLINE Pair<P> select(typename Pair<P>::mask m, Pair<P> x, Pair<P> y) {
  return {simd::select(m.a, x.a, y.a), simd::select(m.b, x.b, y.b)};
}
template <class P>
LARMOR_INLINE Pair<P> min(Pair<P> x, Pair<P> y) {
  return {simd::min(x.a, y.a), simd::min(x.b, y.b)};
}
template <class P>
LARMOR_INLINE Pair<P> max(Pair<P> x, Pair<P> y) {
  return {simd::max(x.a, y.a), simd::max(x.b, y.b)};
}
template <class P>
LARMOR_INLINE Pair<P> sqrt(Pair<P> x) {
  return {simd::sqrt(x.a), simd::sqrt(x.b)};
}
template <class P>
LARMOR_INLINE Pair<P> exp(Pair<P> x) {
  return {simd::exp(x.a), simd::exp(x.b)};
}
template <class P>
LARMOR_INLINE typename Pair<P>::mask is_finite(Pair<P> x) {
  return {simd::is_finite(x.a), simd::is_finite(x.b)};
}
template <class P>
LARMOR_INLINE Pair<P> split_exponent(Pair<P> x, Pair<P>& e) {
  const P a = simd::split_exponent(x.a, e.a), b = simd::split_exponent(x.b, e.b);
  return {a, b};
}
template <class P>
LARMOR_INLINE void store(typename Pair<P>::scalar* p, Pair<P> x) {
  simd::store(p, x.a), simd::store(p + LaneTraits<P>::size, x.b);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::simd
