// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set: in 3D four rows of four cells are one register of AVX-512.
#include <larmor/core/simd/lane.hpp>
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12's own header of AVX-512 starts results from nothing
#include <larmor/recon/dcf/kernels/run.hpp>

namespace larmor::recon::dcf {
inline namespace LARMOR_ISA_NAMESPACE {
namespace {

typedef float Square __attribute__((vector_size(64)));
typedef float Row __attribute__((vector_size(16)));
typedef float RowInMemory __attribute__((vector_size(16), aligned(4)));

LARMOR_INLINE Square in_rows(Row a, Row b, Row c, Row d) {
  typedef float Half __attribute__((vector_size(32)));
  const Half low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
  const Half high = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
template <int r>
LARMOR_INLINE Row row_of(Square s) {
  return __builtin_shufflevector(s, s, 4 * r, 4 * r + 1, 4 * r + 2, 4 * r + 3);
}
LARMOR_INLINE float sum_of(Square s) {
  const Row sum = (row_of<0>(s) + row_of<1>(s)) + (row_of<2>(s) + row_of<3>(s));
  return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/// t (c1 + t (c2 + ...)), 0 where t <= 0.
template <class T>
LARMOR_INLINE T polynomial(const float* c, T t) {
  t = t > 0 ? t : T{};
  T p = t * 0.0f + c[kernel_terms - 1];
  for (int m = kernel_terms - 2; m >= 0; --m) p = p * t + c[m];
  return p * t;
}

/// Squared distances of the four cells around a place, in radii of the kernel: cells floor(x) - 1 ... floor(x) + 2.
struct Near {
  int32_t first;
  Row rr;
};
LARMOR_INLINE Near near(float x) {
  const auto cell = static_cast<int32_t>(x);
  const Row d = Row{-1, 0, 1, 2} - (x - static_cast<float>(cell));
  return {cell - 1, d * d * 0.25f};
}

template <int D, bool separable>
struct Weights {
  float* first;
  Square plane[D == 3 ? 4 : 1];

  LARMOR_INLINE Weights(const SlabGrid& g, const Place& p) {
    const Near x = near(p.at[0]), y = near(p.at[1]), z = D == 3 ? near(p.at[2]) : Near{0, Row{}};
    first = g.cells + z.first * g.plane + y.first * g.pitch + x.first;
    if constexpr (separable) {
      const Row wx = polynomial(g.coefficients, 1 - x.rr), wy = polynomial(g.coefficients, 1 - y.rr);
      const Square xy = in_rows(wx * wy[0], wx * wy[1], wx * wy[2], wx * wy[3]);
      if constexpr (D == 2) {
        plane[0] = xy;
      } else {
        const Row wz = polynomial(g.coefficients, 1 - z.rr);
        for (int k = 0; k < 4; ++k) plane[k] = xy * wz[k];
      }
    } else {
      const Row one = 1 - x.rr;
      const Square xy = in_rows(one - y.rr[0], one - y.rr[1], one - y.rr[2], one - y.rr[3]);
      if constexpr (D == 2)
        plane[0] = polynomial(g.coefficients, xy);
      else
        for (int k = 0; k < 4; ++k) plane[k] = polynomial(g.coefficients, xy - z.rr[k]);
    }
  }
};

// What is kept of a slab's samples in 2D: 16 values each, then where the first cell of each lies. Rows of four, never
// four rows at once: conversions, products and sums of four have a port more than those of sixteen.
struct Kept {
#if defined(__F16C__)
  typedef uint16_t Stored;
#else
  typedef float Stored;
#endif
  static constexpr size_t bytes = 16 * sizeof(Stored) + sizeof(int32_t);  // a sample
  Stored* values;
  int32_t* cells;

  LARMOR_INLINE Kept(const void* memory, int64_t n)
      : values(static_cast<Stored*>(const_cast<void*>(memory))), cells(reinterpret_cast<int32_t*>(values + 16 * n)) {}
  LARMOR_INLINE void put(int64_t j, int r, Row v) const {
    Stored* to = values + 16 * j + 4 * r;
#if defined(__F16C__)
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_cvtps_ph((__m128)v, 0));
#else
    *reinterpret_cast<RowInMemory*>(to) = v;
#endif
  }
  LARMOR_INLINE Row row(int64_t j, int r) const {
    const Stored* from = values + 16 * j + 4 * r;
#if defined(__F16C__)
    return (Row)_mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
#else
    return *reinterpret_cast<const RowInMemory*>(from);
#endif
  }
};
LARMOR_INLINE Row at(const float* from) { return *reinterpret_cast<const RowInMemory*>(from); }
/// Sum of cells C around a sample.
LARMOR_INLINE float sum_around(const float* cells, int64_t pitch, const Row* c) {
  const Row all =
      (c[0] * at(cells) + c[1] * at(cells + pitch)) + (c[2] * at(cells + 2 * pitch) + c[3] * at(cells + 3 * pitch));
  const Row half = all + __builtin_shufflevector(all, all, 2, 3, 2, 3);
  return half[0] + half[1];
}
LARMOR_INLINE void add_around(float* cells, int64_t pitch, const Row* c, float weight) {
  for (int r = 0; r < 4; ++r, cells += pitch) *reinterpret_cast<RowInMemory*>(cells) = at(cells) + c[r] * weight;
}

LARMOR_INLINE void add(float* to, int64_t pitch, Square value) {
  *reinterpret_cast<RowInMemory*>(to) += row_of<0>(value);
  *reinterpret_cast<RowInMemory*>(to + pitch) += row_of<1>(value);
  *reinterpret_cast<RowInMemory*>(to + 2 * pitch) += row_of<2>(value);
  *reinterpret_cast<RowInMemory*>(to + 3 * pitch) += row_of<3>(value);
}
LARMOR_INLINE Square take(const float* from, int64_t pitch, Square weights) {
  const auto row = [&](int r) LARMOR_LAMBDA -> Row { return *reinterpret_cast<const RowInMemory*>(from + r * pitch); };
  return in_rows(row(0), row(1), row(2), row(3)) * weights;
}

template <bool separable>
void prepare(const SlabGrid& g, const Place* places, int64_t n, void* prepared) {
  const Kept kept(prepared, n);
  for (int64_t j = 0; j < n; ++j) {
    const Weights<2, separable> w(g, places[j]);
    simd::static_for<4>([&](auto r) LARMOR_LAMBDA { kept.put(j, r, row_of<r>(w.plane[0])); });
    kept.cells[j] = static_cast<int32_t>(w.first - g.cells);
  }
}

template <int D, bool separable>
void spread(const SlabGrid& g, const Place* places, const void* prepared, const float* weights, int64_t n) {
  if constexpr (D == 2) {
    const Kept kept(prepared, n);
    for (int64_t j = 0; j < n; ++j) {
      const Row c[4] = {kept.row(j, 0), kept.row(j, 1), kept.row(j, 2), kept.row(j, 3)};
      add_around(g.cells + kept.cells[j], g.pitch, c, weights[j]);
    }
  } else {
    for (int64_t j = 0; j < n; ++j) {
      const Weights<D, separable> w(g, places[j]);
      for (int k = 0; k < 4; ++k) add(w.first + k * g.plane, g.pitch, w.plane[k] * weights[j]);
    }
  }
}

template <int D, bool separable>
void divide(const SlabGrid& g, const Place* places, const void* prepared, float* weights, int64_t n) {
  if constexpr (D == 2) {
    const Kept kept(prepared, n);
    for (int64_t j = 0; j < n; ++j) {
      const Row c[4] = {kept.row(j, 0), kept.row(j, 1), kept.row(j, 2), kept.row(j, 3)};
      weights[j] /= sum_around(g.cells + kept.cells[j], g.pitch, c);
    }
  } else {
    for (int64_t j = 0; j < n; ++j) {
      const Weights<D, separable> w(g, places[j]);
      Square sum{};
      for (int k = 0; k < 4; ++k) sum += take(w.first + k * g.plane, g.pitch, w.plane[k]);
      weights[j] /= sum_of(sum);
    }
  }
}

template <int D, bool separable>
void iterate(const SlabGrid& g, float* next, const Place* places, const void* prepared, float* weights, int64_t n) {
  if constexpr (D == 2) {
    const Kept kept(prepared, n);
    for (int64_t j = 0; j < n; ++j) {
      const Row c[4] = {kept.row(j, 0), kept.row(j, 1), kept.row(j, 2), kept.row(j, 3)};
      const int64_t cell = kept.cells[j];
      const float weight = weights[j] / sum_around(g.cells + cell, g.pitch, c);
      weights[j] = weight;
      add_around(next + cell, g.pitch, c, weight);
    }
  } else {
    for (int64_t j = 0; j < n; ++j) {
      const Weights<D, separable> w(g, places[j]);
      Square sum{};
      for (int k = 0; k < 4; ++k) sum += take(w.first + k * g.plane, g.pitch, w.plane[k]);
      const float weight = weights[j] / sum_of(sum);
      weights[j] = weight;
      float* to = next + (w.first - g.cells);
      for (int k = 0; k < 4; ++k) add(to + k * g.plane, g.pitch, w.plane[k] * weight);
    }
  }
}

template <int D, bool separable>
constexpr Functions functions{D == 2 ? Kept::bytes : 0, prepare<separable>, spread<D, separable>, divide<D, separable>,
                              iterate<D, separable>};

}  // namespace
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::dcf

extern "C" const larmor::recon::dcf::Functions* LARMOR_ISA_JOIN(larmor_density_, LARMOR_ISA)(int dims, bool separable) {
  using namespace larmor::recon::dcf;
  if (dims == 2) return separable ? &functions<2, true> : &functions<2, false>;
  return separable ? &functions<3, true> : &functions<3, false>;
}
