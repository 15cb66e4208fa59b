// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples of V transforms side by side onto the planes of a slab and back: the weights of a sample are computed once
// for all.
#include <larmor/recon/nufft/kernels/pack.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {

/// A cell as a whole: weights are real, so one register of AVX-512 does for the real and imaginary parts of eight
/// transforms; two elsewhere.
template <int V>
struct Whole {
  static constexpr int parts = 8 * V > LARMOR_VECTOR_BYTES ? 2 : 1, floats = 2 * V / parts;
  typedef float vec __attribute__((vector_size(floats * 4)));
  vec p[parts];
  LARMOR_INLINE static Whole load(const float* cell) {
    Whole out;
    simd::static_for<parts>([&](auto i) LARMOR_LAMBDA { out.p[i] = *reinterpret_cast<const vec*>(cell + i * floats); });
    return out;
  }
  LARMOR_INLINE void store(float* cell) const {
    simd::static_for<parts>([&](auto i) LARMOR_LAMBDA { *reinterpret_cast<vec*>(cell + i * floats) = p[i]; });
  }
  LARMOR_INLINE friend Whole operator*(Whole a, float s) {
    simd::static_for<parts>([&](auto i) LARMOR_LAMBDA { a.p[i] = a.p[i] * s; });
    return a;
  }
  LARMOR_INLINE friend Whole operator+(Whole a, Whole b) {
    simd::static_for<parts>([&](auto i) LARMOR_LAMBDA { a.p[i] = a.p[i] + b.p[i]; });
    return a;
  }
};

/// Weights of one sample along every axis.
struct SampleWeights {
  alignas(64) float w[3][16];
};

/// The window's width and degree: known to the compiler for 2 to 8 points, so that polynomials are straight code and
/// the weights along x stay in registers. W = 0: not.
template <int W>
LARMOR_INLINE int width_of(const Layout& a) {
  return W > 0 ? W : a.width;
}
/// work(i) for the steps of a polynomial, 0 to its degree.
template <int W, class Work>
LARMOR_INLINE void each_step(const Layout& a, const Work& work) {
  if constexpr (W > 0)
    simd::static_for<window_degree(W)>([&](auto i) LARMOR_LAMBDA { work(i + 1); });
  else
    for (int i = 0; i < a.degree; ++i) work(i + 1);
}

template <int D, int W>
LARMOR_INLINE void weights_of(const Layout& a, const Point& at, SampleWeights& out) {
  // 8 points are one register of AVX; wider windows are rare.
  typedef float Row __attribute__((vector_size(32)));
  for (int half = 0; half < width_of<W>(a); half += 8) {
    Row c[D];
    const auto* k = reinterpret_cast<const Row*>(a.coefficients + half);
    simd::static_for<D>([&](auto d) LARMOR_LAMBDA { c[d] = *k; });
    each_step<W>(a, [&](int i) LARMOR_LAMBDA {
      simd::static_for<D>([&](auto d) LARMOR_LAMBDA { c[d] = c[d] * at.u[d] + k[2 * i]; });
    });
    simd::static_for<D>([&](auto d) LARMOR_LAMBDA { *reinterpret_cast<Row*>(out.w[d] + half) = c[d]; });
  }
}

/// row[0 .. w) += weights value.
template <int V, int W>
LARMOR_INLINE void add_row(const Layout& a, float* row, const float* weights, Whole<V> value) {
  const auto add = [&](int x) LARMOR_LAMBDA {
    float* cell = row + x * 2 * V;
    (Whole<V>::load(cell) + value * weights[x]).store(cell);
  };
  if constexpr (W > 0)
    simd::static_for<W>([&](auto x) LARMOR_LAMBDA { add(x); });
  else
    for (int x = 0; x < a.width; ++x) add(x);
}

/// Planes [skip, until) of those that the sample touches; plane skip is `planes`.
template <int D, int V, int W>
LARMOR_INLINE void spread(const Layout& a, const SampleWeights& w, int skip, int until, float* planes, Whole<V> value) {
  for (int o = skip; o < until; ++o, planes += a.plane * 2 * V) {
    if constexpr (D == 2) {
      add_row<V, W>(a, planes, w.w[0], value * w.w[1][o]);
    } else {
      const Whole<V> v = value * w.w[2][o];
      float* row = planes;
      for (int y = 0; y < width_of<W>(a); ++y, row += a.pitch * 2 * V) add_row<V, W>(a, row, w.w[0], v * w.w[1][y]);
    }
  }
}

template <int V, int W>
LARMOR_INLINE Whole<V> row_sum(const Layout& a, const float* row, const float* weights) {
  Whole<V> sum = Whole<V>::load(row) * weights[0];
  const auto add = [&](int x) LARMOR_LAMBDA { sum = sum + Whole<V>::load(row + x * 2 * V) * weights[x]; };
  if constexpr (W > 0)
    simd::static_for<W - 1>([&](auto x) LARMOR_LAMBDA { add(x + 1); });
  else
    for (int x = 1; x < a.width; ++x) add(x);
  return sum;
}

template <int D, int V, int W>
LARMOR_INLINE Whole<V> gather(const Layout& a, const SampleWeights& w, const float* planes) {
  Whole<V> sum{};
  for (int o = 0; o < width_of<W>(a); ++o, planes += a.plane * 2 * V) {
    if constexpr (D == 2) {
      sum = sum + row_sum<V, W>(a, planes, w.w[0]) * w.w[1][o];
    } else {
      Whole<V> plane{};
      const float* row = planes;
      for (int y = 0; y < width_of<W>(a); ++y, row += a.pitch * 2 * V)
        plane = plane + row_sum<V, W>(a, row, w.w[0]) * w.w[1][y];
      sum = sum + plane * w.w[2][o];
    }
  }
  return sum;
}

/// Asks for what point j of the next chunk needs. The samples of V transforms lie far apart, and no hardware foresees
/// so many streams. Eight points in a row ask for the ends of their eighth of the chunk, one transform each.
template <int V>
LARMOR_INLINE void ask_for(const SlabRun& run, int64_t j, int64_t end) {
  const int64_t first = j / V * V, last = first + V - 1;
  if (last >= end) return;
  const float* from = run.group.samples + j % V * run.group.sample_stride;
  const Point* points = run.layout->points;
  __builtin_prefetch(from + 2 * int64_t{points[first].index});
  __builtin_prefetch(from + 2 * int64_t{points[last].index});
}

/// Samples [begin, end) onto the slab, whose plane 0 is `first` seen from them.
template <int D, int V, int W>
__attribute__((noinline)) void spread_chunks(const SlabRun& run, int64_t begin, int64_t end, int first, float* cells) {
  const Layout& a = *run.layout;
  const int planes = run.last - run.first;
  SampleWeights w;
  for (int64_t at = begin; at < end; at += chunk_points) {
    const int64_t stop = at + chunk_points < end ? at + chunk_points : end;
    pack<V>(run, at, stop, cells);
    for (int64_t j = at; j < stop; ++j) {
      const Point& p = a.points[j];
      ask_for<V>(run, j + chunk_points, end);
      weights_of<D, W>(a, p, w);
      const int from = p.outer - first;  // plane of the slab that it touches first; < 0: begins before the slab
      const int skip = from < 0 ? -from : 0, until = planes - from < width_of<W>(a) ? planes - from : width_of<W>(a);
      float* plane = run.slab + ((from + skip) * a.plane + p.base) * 2 * V;
      spread<D, V, W>(a, w, skip, until, plane, Whole<V>::load(cells + (j - at) * 2 * V));
    }
  }
}

template <int D, int V, int W>
__attribute__((noinline)) void gather_chunks(const SlabRun& run, float* cells) {
  const Layout& a = *run.layout;
  SampleWeights w;
  for (int64_t at = run.begin; at < run.end; at += chunk_points) {
    const int64_t stop = at + chunk_points < run.end ? at + chunk_points : run.end;
    for (int64_t j = at; j < stop; ++j) {
      const Point& p = a.points[j];
      ask_for<V>(run, j, stop);
      weights_of<D, W>(a, p, w);
      const float* plane = run.slab + ((p.outer - run.first) * a.plane + p.base) * 2 * V;
      gather<D, V, W>(a, w, plane).store(cells + (j - at) * 2 * V);
    }
    unpack<V>(run, at, stop, cells);
  }
}

/// work(W) with the window's width if kernels know it, else 0.
template <class Work>
LARMOR_INLINE void with_width(const Layout& a, const Work& work) {
  switch (a.width <= 8 && a.degree == window_degree(a.width) ? a.width : 0) {
    case 2:
      return work(Number<2>{});
    case 3:
      return work(Number<3>{});
    case 4:
      return work(Number<4>{});
    case 5:
      return work(Number<5>{});
    case 6:
      return work(Number<6>{});
    case 7:
      return work(Number<7>{});
    case 8:
      return work(Number<8>{});
    default:
      return work(Number<0>{});
  }
}
template <int D, int V>
void spread_range(const SlabRun& run, int64_t begin, int64_t end, int first, float* cells) {
  with_width(*run.layout, [&](auto w) LARMOR_LAMBDA { spread_chunks<D, V, w.value>(run, begin, end, first, cells); });
}
template <int D, int V>
void gather_range(const SlabRun& run, float* cells) {
  with_width(*run.layout, [&](auto w) LARMOR_LAMBDA { gather_chunks<D, V, w.value>(run, cells); });
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
