// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lanes: numerical code is written once in terms of a type T that is a pack of voxels side by side on the CPU, one
// number in CUDA or in a scalar reference. This header is compiled once for each instruction set (larmor_isa_sources)
// and must not pull inline functions of the standard library into those objects; everything in it has internal names
// through an inline namespace, so the copies never meet at link time.
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__x86_64__) && !defined(__CUDACC__)
#include <immintrin.h>
#endif

#ifndef LARMOR_ISA
#define LARMOR_ISA host
#endif
#define LARMOR_ISA_JOIN2(a, b) a##b
#define LARMOR_ISA_JOIN(a, b) LARMOR_ISA_JOIN2(a, b)
#define LARMOR_ISA_NAMESPACE LARMOR_ISA_JOIN(isa_, LARMOR_ISA)

#if defined(__CUDACC__)
#define LARMOR_HD __host__ __device__ inline
#define LARMOR_INLINE __host__ __device__ __forceinline__
#else
#define LARMOR_HD inline
#define LARMOR_INLINE inline __attribute__((always_inline))
#endif

#if defined(__AVX512F__)
#define LARMOR_VECTOR_BYTES 64
#elif defined(__AVX__)
#define LARMOR_VECTOR_BYTES 32
#else
#define LARMOR_VECTOR_BYTES 16
#endif

#if defined(__CUDACC__)
#define LARMOR_LAMBDA
#else
#define LARMOR_LAMBDA __attribute__((always_inline))
#endif

#if defined(__CUDACC__)
#define LARMOR_MATH(name) ::name
#else
#define LARMOR_MATH(name) __builtin_##name
#endif

namespace larmor::simd {
inline namespace LARMOR_ISA_NAMESPACE {

/// A loop index that is a constant in the body, so that small arrays of lanes stay in registers.
template <int I>
struct Index {
  LARMOR_INLINE constexpr operator int() const { return I; }
};
/// f(Index<0>), f(Index<1>), ... f(Index<N - 1>).
template <int N, int I = 0, class F>
LARMOR_INLINE void static_for(F&& f) {
  if constexpr (I < N) {
    f(Index<I>{});
    static_for<N, I + 1>(f);
  }
}

// --- one number ---------------------------------------------------------------------------------------------------

template <class T>
struct LaneTraits {
  using scalar = T;
  using mask = bool;
  static constexpr int size = 1;
};

LARMOR_INLINE double select(bool m, double a, double b) { return m ? a : b; }
LARMOR_INLINE float select(bool m, float a, float b) { return m ? a : b; }
LARMOR_INLINE bool any(bool m) { return m; }
LARMOR_INLINE bool all(bool m) { return m; }
LARMOR_INLINE unsigned bits(bool m) { return m ? 1u : 0u; }
LARMOR_INLINE double min(double a, double b) { return a < b ? a : b; }
LARMOR_INLINE double max(double a, double b) { return a > b ? a : b; }
LARMOR_INLINE float min(float a, float b) { return a < b ? a : b; }
LARMOR_INLINE float max(float a, float b) { return a > b ? a : b; }
LARMOR_INLINE double abs(double a) { return LARMOR_MATH(fabs)(a); }
LARMOR_INLINE float abs(float a) { return LARMOR_MATH(fabsf)(a); }
LARMOR_INLINE double sqrt(double a) { return LARMOR_MATH(sqrt)(a); }
LARMOR_INLINE float sqrt(float a) { return LARMOR_MATH(sqrtf)(a); }
LARMOR_INLINE double floor(double a) { return LARMOR_MATH(floor)(a); }
LARMOR_INLINE float floor(float a) { return LARMOR_MATH(floorf)(a); }
LARMOR_INLINE double highest(double a) { return a; }
LARMOR_INLINE bool is_finite(double a) { return a - a == 0; }
LARMOR_INLINE bool is_finite(float a) { return a - a == 0; }
LARMOR_INLINE double lane(double a, int) { return a; }
LARMOR_INLINE float lane(float a, int) { return a; }
LARMOR_INLINE bool lane(bool a, int) { return a; }
LARMOR_INLINE void set_lane(double& a, int, double v) { a = v; }
LARMOR_INLINE void set_lane(float& a, int, float v) { a = v; }
/// T::size numbers from memory, any alignment.
template <class T>
LARMOR_INLINE T load(const typename LaneTraits<T>::scalar* p) {
  T r;
  memcpy(static_cast<void*>(&r), p, sizeof r);
  return r;
}
LARMOR_INLINE void store(double* p, double v) { *p = v; }
LARMOR_INLINE void store(float* p, float v) { *p = v; }
/// table[index[l] * stride + offset] for every lane.
LARMOR_INLINE double gather(const double* table, double index, int stride, int offset) {
  return table[static_cast<int64_t>(index) * stride + offset];
}
LARMOR_INLINE float gather(const float* table, float index, int stride, int offset) {
  return table[static_cast<int64_t>(index) * stride + offset];
}

// --- a pack of numbers --------------------------------------------------------------------------------------------
#if !defined(__CUDACC__)

// Vector types by explicit specialisation: g++ 12 drops the attribute of a dependent typedef from signatures.
template <class T>
struct VectorOf;
template <>
struct VectorOf<double> {
  typedef double vec __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
  typedef int64_t ivec __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
  typedef int64_t integer;
};
template <>
struct VectorOf<float> {
  typedef float vec __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
  typedef int32_t ivec __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
  typedef int32_t integer;
};

template <class T>
struct Mask {
  using vec = typename VectorOf<T>::ivec;
  vec v;
  LARMOR_INLINE friend Mask operator&(Mask a, Mask b) { return {a.v & b.v}; }
  LARMOR_INLINE friend Mask operator|(Mask a, Mask b) { return {a.v | b.v}; }
  LARMOR_INLINE friend Mask operator!(Mask a) { return {~a.v}; }
};

/// As many T side by side as one register of the instruction set holds.
template <class T>
struct Pack {
  using vec = typename VectorOf<T>::vec;
  static constexpr int size = LARMOR_VECTOR_BYTES / static_cast<int>(sizeof(T));
  vec v;

  Pack() = default;
  LARMOR_INLINE Pack(vec x) : v(x) {}
  // x - 0 is x for every x and costs nothing; 0 + x would be an addition, because of -0.
  LARMOR_INLINE Pack(T x) : v(x - vec{}) {}
  template <class U>
  requires(!__is_same(U, T) && (__is_same(U, int) || __is_same(U, double))) LARMOR_INLINE Pack(U x)
      : v(static_cast<T>(x) - vec{}) {}

  LARMOR_INLINE friend Pack operator+(Pack a, Pack b) { return a.v + b.v; }
  LARMOR_INLINE friend Pack operator-(Pack a, Pack b) { return a.v - b.v; }
  LARMOR_INLINE friend Pack operator*(Pack a, Pack b) { return a.v * b.v; }
  LARMOR_INLINE friend Pack operator/(Pack a, Pack b) { return a.v / b.v; }
  LARMOR_INLINE friend Pack operator-(Pack a) { return -a.v; }
  LARMOR_INLINE Pack& operator+=(Pack b) {
    v += b.v;
    return *this;
  }
  LARMOR_INLINE Pack& operator-=(Pack b) {
    v -= b.v;
    return *this;
  }
  LARMOR_INLINE Pack& operator*=(Pack b) {
    v *= b.v;
    return *this;
  }
  LARMOR_INLINE friend Mask<T> operator<(Pack a, Pack b) { return {a.v < b.v}; }
  LARMOR_INLINE friend Mask<T> operator<=(Pack a, Pack b) { return {a.v <= b.v}; }
  LARMOR_INLINE friend Mask<T> operator>(Pack a, Pack b) { return {a.v > b.v}; }
  LARMOR_INLINE friend Mask<T> operator>=(Pack a, Pack b) { return {a.v >= b.v}; }
  LARMOR_INLINE friend Mask<T> operator==(Pack a, Pack b) { return {a.v == b.v}; }
};

template <class T>
struct LaneTraits<Pack<T>> {
  using scalar = T;
  using mask = Mask<T>;
  static constexpr int size = Pack<T>::size;
};

template <class T>
LARMOR_INLINE Pack<T> select(Mask<T> m, Pack<T> a, Pack<T> b) {
  return m.v ? a.v : b.v;
}
/// One bit a lane.
LARMOR_INLINE unsigned bits(Mask<double> m) {
#if defined(__AVX512DQ__)
  return _mm512_movepi64_mask((__m512i)m.v);
#elif defined(__AVX__)
  return static_cast<unsigned>(_mm256_movemask_pd((__m256d)m.v));
#elif defined(__SSE2__)
  return static_cast<unsigned>(_mm_movemask_pd((__m128d)m.v));
#else
  unsigned r = 0;
  for (int i = 0; i < Pack<double>::size; ++i) r |= m.v[i] ? 1u << i : 0u;
  return r;
#endif
}
LARMOR_INLINE unsigned bits(Mask<float> m) {
#if defined(__AVX512DQ__)
  return _mm512_movepi32_mask((__m512i)m.v);
#elif defined(__AVX__)
  return static_cast<unsigned>(_mm256_movemask_ps((__m256)m.v));
#elif defined(__SSE2__)
  return static_cast<unsigned>(_mm_movemask_ps((__m128)m.v));
#else
  unsigned r = 0;
  for (int i = 0; i < Pack<float>::size; ++i) r |= m.v[i] ? 1u << i : 0u;
  return r;
#endif
}
template <class T>
LARMOR_INLINE bool any(Mask<T> m) {
  return bits(m) != 0;
}
template <class T>
LARMOR_INLINE bool all(Mask<T> m) {
  return bits(m) == (1u << Pack<T>::size) - 1;
}
template <class T>
LARMOR_INLINE Pack<T> min(Pack<T> a, Pack<T> b) {
  return a.v < b.v ? a.v : b.v;
}
template <class T>
LARMOR_INLINE Pack<T> max(Pack<T> a, Pack<T> b) {
  return a.v > b.v ? a.v : b.v;
}
template <class T>
LARMOR_INLINE Pack<T> abs(Pack<T> a) {
  return a.v < 0 ? -a.v : a.v;
}
template <class T>
LARMOR_INLINE Pack<T> sqrt(Pack<T> a) {
  Pack<T> r;
  for (int i = 0; i < Pack<T>::size; ++i) r.v[i] = simd::sqrt(static_cast<T>(a.v[i]));
  return r;
}
template <class T>
LARMOR_INLINE Pack<T> floor(Pack<T> a) {
  Pack<T> r;
  for (int i = 0; i < Pack<T>::size; ++i) r.v[i] = simd::floor(static_cast<T>(a.v[i]));
  return r;
}
template <class T>
LARMOR_INLINE Mask<T> is_finite(Pack<T> a) {
  return {(a.v - a.v) == 0};
}
template <class T>
LARMOR_INLINE T lane(Pack<T> a, int i) {
  return a.v[i];
}
template <class T>
LARMOR_INLINE bool lane(Mask<T> a, int i) {
  return a.v[i] != 0;
}
/// The largest of the lanes; those that are no number do not count.
LARMOR_INLINE double highest(Pack<double> a) {
  double h = a.v[0];
  for (int i = 1; i < Pack<double>::size; ++i) h = a.v[i] > h ? a.v[i] : h;
  return h;
}
template <class T>
LARMOR_INLINE void set_lane(Pack<T>& a, int i, T x) {
  a.v[i] = x;
}
template <class T>
LARMOR_INLINE void store(T* p, Pack<T> a) {
  memcpy(p, &a.v, sizeof a.v);
}
template <class T>
LARMOR_INLINE Pack<T> gather(const T* table, Pack<T> index, int stride, int offset) {
  Pack<T> r;
  for (int i = 0; i < Pack<T>::size; ++i) r.v[i] = table[static_cast<int64_t>(index.v[i]) * stride + offset];
  return r;
}
/// out[m] = table[8 index + m] of each lane, m < N, 4 <= N <= 8: rows of a cache line. A lane's first four numbers are
/// one load, and a transpose puts them in their places.
template <int N>
LARMOR_INLINE void gather_row(const double* table, Pack<double> index, Pack<double>* out) {
  constexpr int L = Pack<double>::size;
  const double* row[L];
  const auto at = __builtin_convertvector(index.v, VectorOf<double>::ivec);
  for (int i = 0; i < L; ++i) row[i] = table + 8 * at[i];
#if LARMOR_VECTOR_BYTES >= 32
  constexpr int transposed = 4;
  typedef double four __attribute__((vector_size(32), aligned(8)));
  const auto load_four = [](const double* from) LARMOR_LAMBDA { return *reinterpret_cast<const four*>(from); };
  VectorOf<double>::vec a[4], pair[4];
#if LARMOR_VECTOR_BYTES == 64
  for (int i = 0; i < 4; ++i)
    a[i] = __builtin_shufflevector(load_four(row[i]), load_four(row[i + 4]), 0, 1, 2, 3, 4, 5, 6, 7);
  for (int i = 0; i < 2; ++i) {
    pair[i] = __builtin_shufflevector(a[2 * i], a[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    pair[i + 2] = __builtin_shufflevector(a[2 * i], a[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  for (int i = 0; i < 2; ++i) {
    out[i] = __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13);
    out[i + 2] = __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  }
#else
  for (int i = 0; i < 4; ++i) a[i] = load_four(row[i]);
  for (int i = 0; i < 2; ++i) {
    pair[i] = __builtin_shufflevector(a[2 * i], a[2 * i + 1], 0, 4, 2, 6);
    pair[i + 2] = __builtin_shufflevector(a[2 * i], a[2 * i + 1], 1, 5, 3, 7);
  }
  for (int i = 0; i < 2; ++i) {
    out[i] = __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 0, 1, 4, 5);
    out[i + 2] = __builtin_shufflevector(pair[2 * i], pair[2 * i + 1], 2, 3, 6, 7);
  }
#endif
#else
  constexpr int transposed = 0;
#endif
  for (int m = transposed; m < N; ++m) {
    VectorOf<double>::vec column{};
    for (int i = 0; i < L; ++i) column[i] = row[i][m];
    out[m] = column;
  }
}
#endif  // !__CUDACC__
template <int N>
LARMOR_INLINE void gather_row(const double* table, double index, double* out) {
  const double* row = table + 8 * static_cast<int64_t>(index);
  for (int m = 0; m < N; ++m) out[m] = row[m];
}

// --- floats in memory, doubles in the lanes ------------------------------------------------------------------------

/// As many floats as T has lanes, widened.
template <class T>
LARMOR_INLINE T load_wide(const float* p) {
#if !defined(__CUDACC__)
  if constexpr (LaneTraits<T>::size > 1) {
    typedef float half __attribute__((vector_size(LARMOR_VECTOR_BYTES / 2)));
    half h;
    memcpy(&h, p, sizeof h);
    return T(__builtin_convertvector(h, typename T::vec));
  } else
#endif
  {
    return *p;
  }
}
template <class T>
LARMOR_INLINE void store_narrow(float* p, T v) {
#if !defined(__CUDACC__)
  if constexpr (LaneTraits<T>::size > 1) {
    typedef float half __attribute__((vector_size(LARMOR_VECTOR_BYTES / 2)));
    const half h = __builtin_convertvector(v.v, half);
    memcpy(p, &h, sizeof h);
  } else
#endif
  {
    *p = static_cast<float>(v);
  }
}

// --- exponents of floats -------------------------------------------------------------------------------------------

/// x > 0 (normal range) as m 2^e with m in [sqrt(1/2), sqrt 2): gives m, sets e.
LARMOR_INLINE float split_exponent(float x, float& e) {
  const float cut = x * 0.70710678f;
  int32_t bits;
  memcpy(&bits, &cut, 4);
  const int32_t exponent = (bits >> 23) - 126;  // 0 when the cut is in [1/2, 1)
  const int32_t scale_bits = (127 - exponent) << 23;
  float scale;
  memcpy(&scale, &scale_bits, 4);
  e = static_cast<float>(exponent);
  return x * scale;
}
#if !defined(__CUDACC__)
LARMOR_INLINE Pack<float> split_exponent(Pack<float> x, Pack<float>& e) {
  using F = Pack<float>;
  using ivec = VectorOf<float>::ivec;
  const ivec bits = reinterpret_cast<ivec>((x * F(0.70710678f)).v);
  const ivec exponent = (bits >> 23) - 126;
  const ivec scale = (127 - exponent) << 23;
  e = F(__builtin_convertvector(exponent, F::vec));
  return x * F(reinterpret_cast<F::vec>(scale));
}
#endif

// --- exp ----------------------------------------------------------------------------------------------------------

/// a b + c; one rounding where the instruction set has it.
template <class T>
LARMOR_INLINE T fma(T a, T b, T c) {
  return a * b + c;
}

/// exp of one number, in the same steps as the packs (so scalar and lane results agree to rounding). Relative error
/// < 4e-16 (double), 2e-7 (float); arguments are clamped to [-708, 708] ([-87, 88]).
/// Method: x = n ln 2 + r, |r| <= 0.347; Taylor polynomial of degree 13 (7): its remainder 0.347^14 / 14! = 4e-18.
template <class T>
LARMOR_INLINE T exp(T x);

template <class T>
LARMOR_INLINE T exp_polynomial_double(T r) {
  T p = T(1.0 / 6227020800.0);
  p = fma(p, r, T(1.0 / 479001600.0));
  p = fma(p, r, T(1.0 / 39916800.0));
  p = fma(p, r, T(1.0 / 3628800.0));
  p = fma(p, r, T(1.0 / 362880.0));
  p = fma(p, r, T(1.0 / 40320.0));
  p = fma(p, r, T(1.0 / 5040.0));
  p = fma(p, r, T(1.0 / 720.0));
  p = fma(p, r, T(1.0 / 120.0));
  p = fma(p, r, T(1.0 / 24.0));
  p = fma(p, r, T(1.0 / 6.0));
  p = fma(p, r, T(0.5));
  p = fma(p, r, T(1.0));
  return fma(p, r, T(1.0));
}
template <class T>
LARMOR_INLINE T exp_polynomial_float(T r) {
  T p = T(1.0f / 5040.0f);
  p = fma(p, r, T(1.0f / 720.0f));
  p = fma(p, r, T(1.0f / 120.0f));
  p = fma(p, r, T(1.0f / 24.0f));
  p = fma(p, r, T(1.0f / 6.0f));
  p = fma(p, r, T(0.5f));
  p = fma(p, r, T(1.0f));
  return fma(p, r, T(1.0f));
}

// Adding 1.5 * 2^52 leaves the rounded integer in the low bits of the sum: no conversion instruction is needed.
template <>
LARMOR_INLINE double exp<double>(double x) {
  x = min(max(x, -708.0), 708.0);
  const double shifter = 6755399441055744.0;
  const double biased = x * 1.4426950408889634074 + shifter;
  const double n = biased - shifter;
  double r = x - n * 6.93147180369123816490e-01;
  r = r - n * 1.90821492927058770002e-10;
  const double p = exp_polynomial_double(r);
  int64_t bits, scale;
  memcpy(&bits, &biased, 8);
  scale = static_cast<int64_t>((static_cast<uint64_t>(bits) + 1023u) << 52);
  double two_n;
  memcpy(&two_n, &scale, 8);
  return p * two_n;
}
template <>
LARMOR_INLINE float exp<float>(float x) {
  x = min(max(x, -87.0f), 88.0f);
  const float shifter = 12582912.0f;
  const float biased = x * 1.44269504f + shifter;
  const float n = biased - shifter;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  const float p = exp_polynomial_float(r);
  int32_t bits, scale;
  memcpy(&bits, &biased, 4);
  scale = static_cast<int32_t>((static_cast<uint32_t>(bits) + 127u) << 23);
  float two_n;
  memcpy(&two_n, &scale, 4);
  return p * two_n;
}
#if !defined(__CUDACC__)
template <>
LARMOR_INLINE Pack<double> exp<Pack<double>>(Pack<double> x) {
  typedef int64_t ivec __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
  x = min(max(x, Pack<double>(-708.0)), Pack<double>(708.0));
  const Pack<double> shifter(6755399441055744.0);
  const Pack<double> biased = fma(x, Pack<double>(1.4426950408889634074), shifter);
  const Pack<double> n = biased - shifter;
  Pack<double> r = fma(n, Pack<double>(-6.93147180369123816490e-01), x);
  r = fma(n, Pack<double>(-1.90821492927058770002e-10), r);
  const Pack<double> p = exp_polynomial_double(r);
  const ivec scale = ((ivec)biased.v + 1023) << 52;
  return p.v * (Pack<double>::vec)scale;
}
template <>
LARMOR_INLINE Pack<float> exp<Pack<float>>(Pack<float> x) {
  typedef int32_t ivec __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
  x = min(max(x, Pack<float>(-87.0f)), Pack<float>(88.0f));
  const Pack<float> shifter(12582912.0f);
  const Pack<float> biased = fma(x, Pack<float>(1.44269504f), shifter);
  const Pack<float> n = biased - shifter;
  Pack<float> r = fma(n, Pack<float>(-0.693359375f), x);
  r = fma(n, Pack<float>(2.12194440e-4f), r);
  const Pack<float> p = exp_polynomial_float(r);
  const ivec scale = ((ivec)biased.v + 127) << 23;
  return p.v * (Pack<float>::vec)scale;
}
#endif

/// Natural logarithm of x > 0 (normal range). Relative error < 4e-16 (double): x = m 2^e with m in [sqrt(1/2), sqrt 2),
/// log m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.1716; series to s^21, remainder < 1e-18.
#if !defined(__CUDACC__)
LARMOR_INLINE Pack<double> log(Pack<double> x) {
  typedef int64_t ivec __attribute__((vector_size(LARMOR_VECTOR_BYTES)));
  using P = Pack<double>;
  const ivec bits = (ivec)x.v;
  // Subtracting the bits of sqrt(1/2) puts the cut between exponents there.
  const ivec shifted = bits - 0x3fe6a09e667f3bcdLL;
  const ivec exponent = shifted >> 52;
  const P m = (P::vec)(bits - (exponent << 52));
  // Small integers to double by the same 1.5 * 2^52 device.
  const P e = P((P::vec)(exponent + 0x4338000000000000LL)) - P(6755399441055744.0);
  const P s = (m - P(1.0)) / (m + P(1.0));
  const P ss = s * s;
  P p = P(2.0 / 21.0);
  p = fma(p, ss, P(2.0 / 19.0));
  p = fma(p, ss, P(2.0 / 17.0));
  p = fma(p, ss, P(2.0 / 15.0));
  p = fma(p, ss, P(2.0 / 13.0));
  p = fma(p, ss, P(2.0 / 11.0));
  p = fma(p, ss, P(2.0 / 9.0));
  p = fma(p, ss, P(2.0 / 7.0));
  p = fma(p, ss, P(2.0 / 5.0));
  p = fma(p, ss, P(2.0 / 3.0));
  p = p * ss * s + s + s;
  return fma(e, P(6.93147180369123816490e-01), fma(e, P(1.90821492927058770002e-10), p));
}
#endif
LARMOR_INLINE double log(double x) { return LARMOR_MATH(log)(x); }
LARMOR_INLINE float log(float x) { return LARMOR_MATH(logf)(x); }

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::simd
