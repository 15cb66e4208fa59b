// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fourier transforms of lines of cells. A cell is V real and V imaginary parts, so that every operation is on full
// registers whatever the length, and no datum ever changes its lane.
#include <larmor/core/simd/lane.hpp>
#include <larmor/recon/nufft/kernels/run.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {

template <int V>
struct FloatsOf;
template <>
struct FloatsOf<4> {
  typedef float vec __attribute__((vector_size(16)));
  typedef float memory __attribute__((vector_size(16), aligned(4)));
};
template <>
struct FloatsOf<8> {
  typedef float vec __attribute__((vector_size(32)));
  typedef float memory __attribute__((vector_size(32), aligned(4)));
};
template <>
struct FloatsOf<16> {
  typedef float vec __attribute__((vector_size(64)));
  typedef float memory __attribute__((vector_size(64), aligned(4)));
};

/// V complex numbers.
template <int V>
struct Cells {
  using vec = typename FloatsOf<V>::vec;
  vec re, im;
  LARMOR_INLINE friend Cells operator+(Cells a, Cells b) { return {a.re + b.re, a.im + b.im}; }
  LARMOR_INLINE friend Cells operator-(Cells a, Cells b) { return {a.re - b.re, a.im - b.im}; }
  LARMOR_INLINE friend Cells operator*(Cells a, float s) { return {a.re * s, a.im * s}; }
};
/// a times -i.
template <int V>
LARMOR_INLINE Cells<V> turn(Cells<V> a) {
  return {a.im, -a.re};
}
/// a times c + i s.
template <int V>
LARMOR_INLINE Cells<V> times(Cells<V> a, float c, float s) {
  return {a.re * c - a.im * s, a.re * s + a.im * c};
}

/// Where the parts lie within a cell. The transform with + in the exponent is the one with -, of cells whose parts have
/// changed their places.
template <int V, bool inverse>
struct At {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  LARMOR_INLINE static Cells<V> load(const float* cell) {
    const vec a = *reinterpret_cast<const memory*>(cell), b = *reinterpret_cast<const memory*>(cell + V);
    return inverse ? Cells<V>{b, a} : Cells<V>{a, b};
  }
  LARMOR_INLINE static void store(float* cell, Cells<V> c) {
    *reinterpret_cast<memory*>(cell) = inverse ? c.im : c.re;
    *reinterpret_cast<memory*>(cell + V) = inverse ? c.re : c.im;
  }
};

template <int R, int V>
LARMOR_INLINE void small_fft(Cells<V>* a) {
  using C = Cells<V>;
  if constexpr (R == 2) {
    const C s = a[0] + a[1];
    a[1] = a[0] - a[1], a[0] = s;
  } else if constexpr (R == 3) {
    constexpr float h = 0.866025403784438647f;
    const C s = a[1] + a[2], d = turn(a[1] - a[2]) * h, m = a[0] - s * 0.5f;
    a[0] = a[0] + s, a[1] = m + d, a[2] = m - d;
  } else if constexpr (R == 4) {
    const C s02 = a[0] + a[2], d02 = a[0] - a[2], s13 = a[1] + a[3], d13 = turn(a[1] - a[3]);
    a[0] = s02 + s13, a[1] = d02 + d13, a[2] = s02 - s13, a[3] = d02 - d13;
  } else if constexpr (R == 5) {
    constexpr float c1 = 0.309016994374947424f, c2 = -0.809016994374947424f;
    constexpr float s1 = 0.951056516295153572f, s2 = 0.587785252292473129f;
    const C s14 = a[1] + a[4], d14 = turn(a[1] - a[4]), s23 = a[2] + a[3], d23 = turn(a[2] - a[3]);
    const C m1 = a[0] + s14 * c1 + s23 * c2, m2 = a[0] + s14 * c2 + s23 * c1;
    const C r1 = d14 * s1 + d23 * s2, r2 = d14 * s2 - d23 * s1;
    a[0] = a[0] + s14 + s23;
    a[1] = m1 + r1, a[4] = m1 - r1, a[2] = m2 + r2, a[3] = m2 - r2;
  } else {
    static_assert(R == 8);
    constexpr float h = 0.707106781186547524f;
    C e[4]{a[0], a[2], a[4], a[6]}, o[4]{a[1], a[3], a[5], a[7]};
    small_fft<4>(e), small_fft<4>(o);
    const C o1{(o[1].re + o[1].im) * h, (o[1].im - o[1].re) * h}, o2 = turn(o[2]);
    const C o3{(o[3].im - o[3].re) * h, (-o[3].re - o[3].im) * h};
    a[0] = e[0] + o[0], a[4] = e[0] - o[0];
    a[1] = e[1] + o1, a[5] = e[1] - o1;
    a[2] = e[2] + o2, a[6] = e[2] - o2;
    a[3] = e[3] + o3, a[7] = e[3] - o3;
  }
}

/// One stage of the sorting transform: from m R runs of s cells to them interleaved.
template <int R, int V, bool inverse>
LARMOR_INLINE void stage(const float* from, int64_t step, float* to, int64_t m, int64_t s, const float* twiddles) {
  using A = At<V, inverse>;
  if (m == 1) {
    for (int64_t q = 0; q < s; ++q) {
      Cells<V> a[R];
      simd::static_for<R>([&](auto k) LARMOR_LAMBDA { a[k] = A::load(from + (q + s * k) * step); });
      small_fft<R>(a);
      simd::static_for<R>([&](auto k) LARMOR_LAMBDA { A::store(to + (q + s * k) * 2 * V, a[k]); });
    }
    return;
  }
  for (int64_t p = 0; p < m; ++p) {
    const float* t = twiddles + p * 2 * (R - 1);
    for (int64_t q = 0; q < s; ++q) {
      Cells<V> a[R];
      simd::static_for<R>([&](auto k) LARMOR_LAMBDA { a[k] = A::load(from + (q + s * (p + m * k)) * step); });
      small_fft<R>(a);
      A::store(to + (q + s * R * p) * 2 * V, a[0]);
      simd::static_for<R - 1>([&](auto k) LARMOR_LAMBDA {
        A::store(to + (q + s * (R * p + k + 1)) * 2 * V, times(a[k + 1], t[2 * k], t[2 * k + 1]));
      });
    }
  }
}

/// Transforms the cells from, from + step, ... (step in floats). The result is one of a and b, which `from` may be none
/// of unless it is packed.
template <int V, bool inverse>
__attribute__((noinline)) float* transform(const LineFft& f, const float* from, int64_t step, float* a, float* b) {
  int64_t length = f.n, s = 1;
  float* to = from == a ? b : a;
  if (f.stages == 0) {
    for (int i = 0; i < 2 * V; ++i) to[i] = from[i];
    return to;
  }
  for (int i = 0; i < f.stages; ++i) {
    const int r = f.radix[i];
    const int64_t m = length / r;
    switch (r) {
      case 2:
        stage<2, V, inverse>(from, step, to, m, s, f.twiddles[i]);
        break;
      case 3:
        stage<3, V, inverse>(from, step, to, m, s, f.twiddles[i]);
        break;
      case 4:
        stage<4, V, inverse>(from, step, to, m, s, f.twiddles[i]);
        break;
      case 5:
        stage<5, V, inverse>(from, step, to, m, s, f.twiddles[i]);
        break;
      default:
        stage<8, V, inverse>(from, step, to, m, s, f.twiddles[i]);
        break;
    }
    length = m, s *= r;
    from = to, step = 2 * V;
    to = to == a ? b : a;
  }
  return const_cast<float*>(from);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
