// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/simd/lane.hpp>

namespace larmor::simd {
inline namespace LARMOR_ISA_NAMESPACE {

/// Forward-mode dual number over a lane type: a value and its derivatives by N parameters. A function written for T and
/// called with Dual<T, N> gives its exact gradient.
template <class T, int N>
struct Dual {
  T v;
  T d[N];

  Dual() = default;
  LARMOR_INLINE Dual(T value) : v(value) {
    for (int i = 0; i < N; ++i) d[i] = T(0);
  }
  template <class U>
  requires(!__is_same(U, T) && (__is_same(U, int) || __is_same(U, double) || __is_same(U, float))) LARMOR_INLINE
      Dual(U value)
      : Dual(T(static_cast<typename LaneTraits<T>::scalar>(value))) {}
  /// Parameter `index` at `value`: its own derivative is 1.
  LARMOR_INLINE static Dual variable(T value, int index) {
    Dual r(value);
    r.d[index] = T(1);
    return r;
  }

  LARMOR_INLINE friend Dual operator+(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v + b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] + b.d[i];
    return r;
  }
  LARMOR_INLINE friend Dual operator-(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v - b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] - b.d[i];
    return r;
  }
  LARMOR_INLINE friend Dual operator-(const Dual& a) {
    Dual r;
    r.v = -a.v;
    for (int i = 0; i < N; ++i) r.d[i] = -a.d[i];
    return r;
  }
  LARMOR_INLINE friend Dual operator*(const Dual& a, const Dual& b) {
    Dual r;
    r.v = a.v * b.v;
    for (int i = 0; i < N; ++i) r.d[i] = a.d[i] * b.v + a.v * b.d[i];
    return r;
  }
  LARMOR_INLINE friend Dual operator/(const Dual& a, const Dual& b) {
    Dual r;
    const T inverse = T(1) / b.v;
    r.v = a.v * inverse;
    for (int i = 0; i < N; ++i) r.d[i] = (a.d[i] - r.v * b.d[i]) * inverse;
    return r;
  }
};

template <class T, int N>
LARMOR_INLINE Dual<T, N> chain(const Dual<T, N>& a, T value, T slope) {
  Dual<T, N> r;
  r.v = value;
  for (int i = 0; i < N; ++i) r.d[i] = slope * a.d[i];
  return r;
}
template <class T, int N>
LARMOR_INLINE Dual<T, N> exp(const Dual<T, N>& a) {
  const T e = exp(a.v);
  return chain(a, e, e);
}
template <class T, int N>
LARMOR_INLINE Dual<T, N> log(const Dual<T, N>& a) {
  return chain(a, T(log(a.v)), T(1) / a.v);
}
template <class T, int N>
LARMOR_INLINE Dual<T, N> sqrt(const Dual<T, N>& a) {
  const T s = sqrt(a.v);
  return chain(a, s, T(0.5) / s);
}
/// max(a, floor), with the derivative of the one chosen.
template <class T, int N>
LARMOR_INLINE Dual<T, N> max(const Dual<T, N>& a, double floor_value) {
  const T f = T(static_cast<typename LaneTraits<T>::scalar>(floor_value));
  return chain(a, select(a.v > f, a.v, f), select(a.v > f, T(1), T(0)));
}
template <class T, int N>
LARMOR_INLINE Dual<T, N> abs(const Dual<T, N>& a) {
  return chain(a, abs(a.v), select(a.v < T(0), T(-1), T(1)));
}
LARMOR_INLINE double max_with(double a, double b) { return a > b ? a : b; }

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::simd
