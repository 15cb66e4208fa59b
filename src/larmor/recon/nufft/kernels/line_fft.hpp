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
#if LARMOR_VECTOR_BYTES >= 64
template <>
struct FloatsOf<16> {
  typedef float vec __attribute__((vector_size(64)));
  typedef float memory __attribute__((vector_size(64), aligned(4)));
};
#endif
// The two halves of a and b taken in turn, a0 b0 a1 b1 ...; and what is taken in turn, apart again.
template <int V>
struct Zip;
template <>
struct Zip<4> {
  using vec = FloatsOf<4>::vec;
  LARMOR_INLINE static vec low(vec a, vec b) { return __builtin_shufflevector(a, b, 0, 4, 1, 5); }
  LARMOR_INLINE static vec high(vec a, vec b) { return __builtin_shufflevector(a, b, 2, 6, 3, 7); }
  LARMOR_INLINE static vec even(vec a, vec b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6); }
  LARMOR_INLINE static vec odd(vec a, vec b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7); }
};
template <>
struct Zip<8> {
  using vec = FloatsOf<8>::vec;
  LARMOR_INLINE static vec low(vec a, vec b) { return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
  LARMOR_INLINE static vec high(vec a, vec b) { return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }
  LARMOR_INLINE static vec even(vec a, vec b) { return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14); }
  LARMOR_INLINE static vec odd(vec a, vec b) { return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15); }
};
#if LARMOR_VECTOR_BYTES >= 64
template <>
struct Zip<16> {
  using vec = FloatsOf<16>::vec;
  LARMOR_INLINE static vec low(vec a, vec b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  }
  LARMOR_INLINE static vec high(vec a, vec b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
  LARMOR_INLINE static vec even(vec a, vec b) {
    return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  }
  LARMOR_INLINE static vec odd(vec a, vec b) {
    return __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  }
};
#endif
/// Rows become columns. Zipping row i with row i + V / 2 into rows 2 i and 2 i + 1 moves one bit of the column's index
/// into the row's; after all of them they have changed places.
template <int V>
LARMOR_INLINE void transpose(typename FloatsOf<V>::vec* row) {
  constexpr int rounds = V == 4 ? 2 : V == 8 ? 3 : 4;
  simd::static_for<rounds>([&](auto) LARMOR_LAMBDA {
    typename FloatsOf<V>::vec next[V];
    simd::static_for<V / 2>([&](auto i) LARMOR_LAMBDA {
      next[2 * i] = Zip<V>::low(row[i], row[i + V / 2]);
      next[2 * i + 1] = Zip<V>::high(row[i], row[i + V / 2]);
    });
    simd::static_for<V>([&](auto i) LARMOR_LAMBDA { row[i] = next[i]; });
  });
}

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
  } else if constexpr (R == 6) {
    // Two of three: even and odd inputs, then turns by sixths.
    constexpr float h = 0.866025403784438647f;
    C e[3]{a[0], a[2], a[4]}, o[3]{a[1], a[3], a[5]};
    small_fft<3>(e), small_fft<3>(o);
    const C o1 = times(o[1], 0.5f, -h), o2 = times(o[2], -0.5f, -h);
    a[0] = e[0] + o[0], a[3] = e[0] - o[0];
    a[1] = e[1] + o1, a[4] = e[1] - o1;
    a[2] = e[2] + o2, a[5] = e[2] - o2;
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

/// Butterflies p of m: cells p, p + m, ... p + (R - 1) m, each result times its twiddle. `from` may be `to`.
template <int R, int V, bool inverse>
LARMOR_INLINE void stage(const float* from, int64_t step, float* to, int64_t m, const float* twiddles) {
  using A = At<V, inverse>;
  for (int64_t p = 0; p < m; ++p, twiddles += 2 * (R - 1)) {
    Cells<V> a[R];
    simd::static_for<R>([&](auto k) LARMOR_LAMBDA { a[k] = A::load(from + (p + m * k) * step); });
    small_fft<R>(a);
    A::store(to + p * 2 * V, a[0]);
    simd::static_for<R - 1>([&](auto k) LARMOR_LAMBDA {
      A::store(to + (p + m * (k + 1)) * 2 * V, times(a[k + 1], twiddles[2 * k], twiddles[2 * k + 1]));
    });
  }
}
/// The last stage: no twiddles, and the cells of a butterfly lie side by side.
template <int R, int V, bool inverse>
LARMOR_INLINE void last_stage(const float* from, int64_t step, float* to, int64_t blocks) {
  using A = At<V, inverse>;
  for (int64_t b = 0; b < blocks; ++b, from += R * step, to += R * 2 * V) {
    Cells<V> a[R];
    simd::static_for<R>([&](auto k) LARMOR_LAMBDA { a[k] = A::load(from + k * step); });
    small_fft<R>(a);
    simd::static_for<R>([&](auto k) LARMOR_LAMBDA { A::store(to + k * 2 * V, a[k]); });
  }
}

/// A number that the compiler knows.
template <int N>
struct Number {
  static constexpr int value = N;
};
template <class Work>
LARMOR_INLINE void with_radix(int r, const Work& work) {
  switch (r) {
    case 2:
      work(Number<2>{});
      break;
    case 3:
      work(Number<3>{});
      break;
    case 4:
      work(Number<4>{});
      break;
    case 5:
      work(Number<5>{});
      break;
    case 6:
      work(Number<6>{});
      break;
    default:
      work(Number<8>{});
      break;
  }
}

/// Transforms the cells from, from + step, ... (step in floats) into `to`, which may be `from` itself when packed.
/// Frequency k lands at cell f.order[k]: each stage cuts the line into pieces that are transformed for themselves, and
/// every piece of the first is finished before the next is begun, so that it stays in the first cache.
template <int V, bool inverse>
__attribute__((noinline)) void transform(const LineFft& f, const float* from, int64_t step, float* to) {
  if (f.stages == 0) {
    At<V, false>::store(to, At<V, false>::load(from));
    return;
  }
  const int r0 = f.radix[0];
  const int64_t piece = f.n / r0;
  if (f.stages == 1) {
    with_radix(r0, [&](auto r) LARMOR_LAMBDA { last_stage<r.value, V, inverse>(from, step, to, 1); });
    return;
  }
  with_radix(r0, [&](auto r) LARMOR_LAMBDA { stage<r.value, V, inverse>(from, step, to, piece, f.twiddles[0]); });
  for (int k = 0; k < r0; ++k, to += piece * 2 * V) {
    int64_t length = piece;
    for (int i = 1; i + 1 < f.stages; ++i) {
      const int64_t m = length / f.radix[i];
      with_radix(f.radix[i], [&](auto r) LARMOR_LAMBDA {
        for (int64_t at = 0; at < piece; at += length)
          stage<r.value, V, inverse>(to + at * 2 * V, 2 * V, to + at * 2 * V, m, f.twiddles[i]);
      });
      length = m;
    }
    with_radix(f.radix[f.stages - 1],
               [&](auto r) LARMOR_LAMBDA { last_stage<r.value, V, inverse>(to, 2 * V, to, piece / r.value); });
  }
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
