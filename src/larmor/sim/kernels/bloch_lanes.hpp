// SPDX-License-Identifier: Apache-2.0
#pragma once
// Magnetisation of spins side by side: packs of floats on the CPU, one number in CUDA.
//
// dM/dt = gamma M x B and relaxation: a spin of offset df [Hz] turns clockwise, exp(-2 pi i df t), as samples of
// k-space are exp(-2 pi i k x).
#include <larmor/core/simd/lane.hpp>

namespace larmor::sim {
inline namespace LARMOR_ISA_NAMESPACE {
namespace lanes {

using simd::LaneTraits;

// --- phases -------------------------------------------------------------------------------------------------------

/// sin(2 pi v) for |v| <= 1/4: the odd polynomial of degree 9 with the least largest error, 3e-9, and rounding. (The
/// coefficients here are from least squares whose weights follow the error until it is level.)
template <class F>
LARMOR_INLINE F sine_of_turns(F v) {
  const F u = v * v;
  F p = F(39.536713f);
  p = simd::fma(p, u, F(-76.549782f));
  p = simd::fma(p, u, F(81.601006f));
  p = simd::fma(p, u, F(-41.341656f));
  p = simd::fma(p, u, F(6.2831850f));
  return p * v;
}
/// Sine and cosine of 2 pi t for |t| <= 1/2, to 2e-7: cos 2 pi t = sin 2 pi (1/4 - |t|), and the sine is folded at
/// 1/4.
template <class F>
LARMOR_INLINE void sincos_turns(F t, F& s, F& c) {
  const F v = F(0.25f) - simd::abs(t);
  c = sine_of_turns(v);
  const F folded = sine_of_turns(F(0.25f) - simd::abs(v));
  s = simd::select(t < F(0.0f), -folded, folded);
}

/// The same to 4e-7 without folding, a third less work: degrees 13 and 12, found in the same way (1e-9 and 1e-8).
template <class F>
LARMOR_INLINE void sincos_turns_straight(F t, F& s, F& c) {
  const F u = t * t;
  F p = F(3.1996946f), q = F(6.5296493f);
  p = simd::fma(p, u, F(-14.868612f)), q = simd::fma(q, u, F(-25.968346f));
  p = simd::fma(p, u, F(42.016167f)), q = simd::fma(q, u, F(60.167843f));
  p = simd::fma(p, u, F(-76.701553f)), q = simd::fma(q, u, F(-85.450165f));
  p = simd::fma(p, u, F(81.605026f)), q = simd::fma(q, u, F(64.939117f));
  p = simd::fma(p, u, F(-41.341698f)), q = simd::fma(q, u, F(-19.739204f));
  p = simd::fma(p, u, F(6.2831855f)), c = simd::fma(q, u, F(1.0f));
  s = p * t;
}

template <class D>
LARMOR_INLINE D part_of_turn(D t) {
  const D shifter(6755399441055744.0);  // 1.5 2^52: adding it rounds to whole numbers
  return t - ((t + shifter) - shifter);
}

/// The same of floats, up to 2^21 turns.
template <class F>
LARMOR_INLINE F part_of_turn_float(F t) {
  const F shifter(12582912.0f);
  return t - ((t + shifter) - shifter);
}

/// f(Index of a half, its first lane) gives doubles; returns them as one pack of floats.
template <class F, class Half>
LARMOR_INLINE F narrowed(Half&& half) {
#if !defined(__CUDACC__)
  if constexpr (LaneTraits<F>::size > 1) {
    typedef float part __attribute__((vector_size(LARMOR_VECTOR_BYTES / 2)));
    const part a = __builtin_convertvector(half(0).v, part);
    const part b = __builtin_convertvector(half(simd::Pack<double>::size).v, part);
#if LARMOR_VECTOR_BYTES == 64
    return F(__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
#elif LARMOR_VECTOR_BYTES == 32
    return F(__builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7));
#else
    return F(__builtin_shufflevector(a, b, 0, 1, 2, 3));
#endif
  } else
#endif
  {
    return static_cast<F>(half(0));
  }
}
template <class F>
struct WideOf {
  using type = double;
};
#if !defined(__CUDACC__)
template <>
struct WideOf<simd::Pack<float>> {
  using type = simd::Pack<double>;
};
#endif

/// Part of a turn, in [-1/2, 1/2], that spins at x, y, z [mm] with offset df [Hz] go through: computed in double,
/// because thousands of turns of a crusher leave a float no digits.
template <class F>
LARMOR_INLINE F turns(const double* df, const double* x, const double* y, const double* z, double tau,
                      const double* k) {
  using D = typename WideOf<F>::type;
  const D t(tau), kx(k[0]), ky(k[1]), kz(k[2]);
  return narrowed<F>([&](int h) LARMOR_LAMBDA {
    return part_of_turn(simd::load<D>(df + h) * t + simd::load<D>(x + h) * kx + simd::load<D>(y + h) * ky +
                        simd::load<D>(z + h) * kz);
  });
}

// --- rotations ----------------------------------------------------------------------------------------------------

/// A(u) = sin(w) / w and B(u) = (1 - cos w) / u of u = w^2, as series of `Terms` terms. Left out is less than
/// u^Terms / (2 Terms + 1)!: 1.1e-8 for Terms = 4, w <= 0.5; 1.4e-9 for 6, w <= 1.2; 1.7e-10 for 10, w <= pi.
template <int Terms, class F>
LARMOR_INLINE void rotation_series(F u, F& A, F& B) {
  constexpr float odd[] = {1.0f,           -1.0f / 6,        1.0f / 120,           -1.0f / 5040,
                           1.0f / 362880,  -1.0f / 39916800, 1.0f / 6227020800.0f, -1.0f / 1307674368000.0f,
                           2.8114573e-15f, -8.2206352e-18f};
  constexpr float even[] = {0.5f,           -1.0f / 24,           1.0f / 720,           -1.0f / 40320,
                            1.0f / 3628800, -1.0f / 479001600.0f, 1.0f / 87178291200.f, -4.7794773e-14f,
                            1.5619207e-16f, -4.1103176e-19f};
  A = F(odd[Terms - 1]), B = F(even[Terms - 1]);
  simd::static_for<Terms - 1>([&](auto i) LARMOR_LAMBDA {
    A = simd::fma(A, u, F(odd[Terms - 2 - i]));
    B = simd::fma(B, u, F(even[Terms - 2 - i]));
  });
}

template <class F>
struct Vector {
  F x, y, z;
};

/// M turned by the vector w [rad], left-handed: M + A (M x w) + B (M x w) x w. Neither a root nor a quotient.
template <int Terms, class F>
LARMOR_INLINE void turn(Vector<F>& M, F wx, F wy, F wz, F ww) {
  F A, B;
  rotation_series<Terms>(ww, A, B);
  const F cx = M.y * wz - M.z * wy, cy = M.z * wx - M.x * wz, cz = M.x * wy - M.y * wx;
  M.x = simd::fma(B, cy * wz - cz * wy, simd::fma(A, cx, M.x));
  M.y = simd::fma(B, cz * wx - cx * wz, simd::fma(A, cy, M.y));
  M.z = simd::fma(B, cx * wy - cy * wx, simd::fma(A, cz, M.z));
}

/// 1 - exp(-x), x >= 0, to 1e-7 of itself: relaxation over a microsecond keeps its digits beside the 1.
template <class F>
LARMOR_INLINE F lost(F x) {
  F p = F(1.0f / 8);
  p = F(1.0f) - x * p;
  simd::static_for<6>([&](auto i) LARMOR_LAMBDA { p = F(1.0f) - x * F(1.0f / (7 - i)) * p; });
  return simd::select(x < F(0.5f), x * p, F(1.0f) - simd::exp<F>(-x));
}

/// M_xy exp(-i phi).
template <class F>
LARMOR_INLINE void turn_back(F& mx, F& my, F c, F s) {
  const F x = simd::fma(mx, c, my * s);
  my = simd::fma(my, c, -(mx * s));
  mx = x;
}

// --- random numbers -----------------------------------------------------------------------------------------------

template <class F>
struct UnsignedOf {
  using type = uint32_t;
};
#if !defined(__CUDACC__)
template <>
struct UnsignedOf<simd::Pack<float>> {
  typedef uint32_t type __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
};
#endif
template <class U>
LARMOR_INLINE U rotated(U x, int by) {
  return (x << by) | (x >> (32 - by));
}

/// Two words from a counter and a key. Source   Salmon et al., SC'11 (2011), Threefry-2x32, 20 rounds
template <class U>
LARMOR_INLINE void threefry(U& a, U& b, uint32_t key0, uint32_t key1) {
  const uint32_t ks[3] = {key0, key1, 0x1BD11BDAu ^ key0 ^ key1};
  constexpr int by[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  a += ks[0], b += ks[1];
  simd::static_for<5>([&](auto r) LARMOR_LAMBDA {
    constexpr int round = decltype(r){};
    simd::static_for<4>([&](auto i) LARMOR_LAMBDA {
      a += b;
      b = rotated(b, by[round % 2][decltype(i){}]) ^ a;
    });
    a += ks[(round + 1) % 3], b += ks[(round + 2) % 3] + static_cast<uint32_t>(round + 1);
  });
}

LARMOR_INLINE float as_float(uint32_t x) { return static_cast<float>(static_cast<int32_t>(x)); }
LARMOR_INLINE uint32_t counted(uint32_t first, uint32_t) { return first; }
#if !defined(__CUDACC__)
using UnsignedPack = UnsignedOf<simd::Pack<float>>::type;
LARMOR_INLINE simd::Pack<float> as_float(UnsignedPack x) {
  using I = simd::VectorOf<float>::ivec;
  return simd::Pack<float>(__builtin_convertvector(reinterpret_cast<I>(x), simd::Pack<float>::vec));
}
/// first, first + 1, ... in the lanes.
LARMOR_INLINE UnsignedPack counted(uint32_t first, UnsignedPack) {
  UnsignedPack out;
  for (int i = 0; i < simd::Pack<float>::size; ++i) out[i] = first + static_cast<uint32_t>(i);
  return out;
}
#endif

/// ln x, x in (0, 1], to 2e-7.
template <class F>
LARMOR_INLINE F log_of(F x) {
  F e;
  const F m = simd::split_exponent(x, e);
  const F s = (m - F(1.0f)) / (m + F(1.0f)), ss = s * s;
  F p = F(2.0f / 9);
  p = simd::fma(p, ss, F(2.0f / 7));
  p = simd::fma(p, ss, F(2.0f / 5));
  p = simd::fma(p, ss, F(2.0f / 3));
  return simd::fma(e, F(0.693147181f), simd::fma(p * ss, s, s + s));
}

/// Two normal numbers of mean 0 and variance 1, of a counter. Source   Box and Muller, Ann. Math. Stat. 29:610 (1958)
template <class F>
LARMOR_INLINE void normals(typename UnsignedOf<F>::type a, typename UnsignedOf<F>::type b, uint32_t key0, uint32_t key1,
                           F& n0, F& n1) {
  threefry(a, b, key0, key1);
  // 24 bits: u in (0, 1), never 0.
  const F u = (as_float(a >> 8) + F(0.5f)) * F(5.9604645e-8f);
  const F t = (as_float(b >> 8) + F(0.5f)) * F(5.9604645e-8f) - F(0.5f);
  const F size = simd::sqrt(F(-2.0f) * log_of(u));
  F s, c;
  sincos_turns(t, s, c);
  n0 = size * c, n1 = size * s;
}

}  // namespace lanes
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::sim
