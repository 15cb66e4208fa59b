// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples of one transform alone onto a slab and back, the window's width innermost: a row of the window, real and
// imaginary parts in turn, is one register or two.
#include <larmor/recon/nufft/kernels/slab_points.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {

/// F / 2 complex numbers in a row.
template <int F>
struct RowOf {
  typedef float vec __attribute__((vector_size(F * 4)));
  typedef float memory __attribute__((vector_size(F * 4), aligned(4)));
  typedef int64_t pair __attribute__((vector_size(F * 4)));
  LARMOR_INLINE static vec load(const float* at) { return *reinterpret_cast<const memory*>(at); }
  LARMOR_INLINE static void store(float* at, vec v) { *reinterpret_cast<memory*>(at) = v; }
  /// re im re im ...
  LARMOR_INLINE static vec repeat(float re, float im) {
    const float both[2] = {re, im};
    int64_t bits;
    memcpy(&bits, both, sizeof bits);
    return reinterpret_cast<vec>(pair{} + bits);
  }
};
/// The sum of the complex numbers of a row, to `out`.
template <int F>
LARMOR_INLINE void add_up(typename RowOf<F>::vec v, float* out) {
  if constexpr (F == 2) {
    memcpy(out, &v, sizeof v);
  } else {
    typename RowOf<F / 2>::vec half[2];
    memcpy(half, &v, sizeof v);
    add_up<F / 2>(half[0] + half[1], out);
  }
}

/// The weights of a sample for windows of W points, or of as many as the layout says (0).
template <int D, int W>
struct SingleWeights {
  static constexpr bool narrow = W >= 2 && W <= 4;
  static constexpr int F = narrow ? 8 : 16;                    // floats of a register
  static constexpr int R = W == 0 ? 2 : 1;                     // registers of a row
  static constexpr int stride = W == 0 ? 16 : narrow ? 4 : 8;  // between planes
  using Row = RowOf<F>;
  typedef float Eight __attribute__((vector_size(32)));

  typename Row::vec x[R];                                           // each weight twice
  alignas(64) float rows[D == 2 ? 16 : W == 0 ? 256 : 8 * stride];  // of every row of cells: y, or [z][y] their product

  LARMOR_INLINE SingleWeights(const Layout& a, const Point& at) {
    simd::static_for<R>([&](auto r) LARMOR_LAMBDA { x[r] = Row::load(a.doubled + r * F); });
    each_step<W>(a, [&](int i) LARMOR_LAMBDA {
      simd::static_for<R>([&](auto r) LARMOR_LAMBDA { x[r] = x[r] * at.u[0] + Row::load(a.doubled + i * 32 + r * F); });
    });
    if constexpr (narrow)
      narrow_rows(a, at);
    else
      wide_rows(a, at);
    // The compiler would take weights out of the registers by two shuffles each; loads that repeat a number are free.
    __asm__("" : "+m"(rows));
  }

  /// y and z are halves of one register.
  LARMOR_INLINE void narrow_rows(const Layout& a, const Point& at) {
    const auto* c = reinterpret_cast<const Eight*>(a.coefficients);
    const float uy = at.u[1], uz = at.u[D - 1];
    const Eight u{uy, uy, uy, uy, uz, uz, uz, uz};
    Eight w = c[0];
    each_step<W>(a, [&](int i) LARMOR_LAMBDA { w = w * u + c[2 * i]; });
    if constexpr (D == 2) {
      *reinterpret_cast<Eight*>(rows) = w;
    } else {
      const Eight y = __builtin_shufflevector(w, w, 0, 1, 2, 3, 0, 1, 2, 3);
      auto* out = reinterpret_cast<Eight*>(rows);
      out[0] = y * __builtin_shufflevector(w, w, 4, 4, 4, 4, 5, 5, 5, 5);
      out[1] = y * __builtin_shufflevector(w, w, 6, 6, 6, 6, 7, 7, 7, 7);
    }
  }
  LARMOR_INLINE void wide_rows(const Layout& a, const Point& at) {
    alignas(64) float z[16];
    for (int half = 0; half < width_of<W>(a); half += 8) {
      const auto* c = reinterpret_cast<const Eight*>(a.coefficients + half);
      Eight v[D - 1];
      simd::static_for<D - 1>([&](auto d) LARMOR_LAMBDA { v[d] = *c; });
      each_step<W>(a, [&](int i) LARMOR_LAMBDA {
        simd::static_for<D - 1>([&](auto d) LARMOR_LAMBDA { v[d] = v[d] * at.u[d + 1] + c[2 * i]; });
      });
      *reinterpret_cast<Eight*>(rows + half) = v[0];
      if constexpr (D == 3) *reinterpret_cast<Eight*>(z + half) = v[1];
    }
    if constexpr (D == 3)
      for (int half = 0; half < width_of<W>(a); half += 8) {
        const Eight y = *reinterpret_cast<const Eight*>(rows + half);
        for (int o = 0; o < width_of<W>(a); ++o) *reinterpret_cast<Eight*>(rows + o * stride + half) = y * z[o];
      }
  }
};

/// work(row, weight) for every row of a plane that a sample touches: in 2D one.
template <int D, int W, class Cell, class Work>
LARMOR_INLINE void each_row(const Layout& a, const float* weights, Cell* plane, const Work& work) {
  const int64_t step = a.pitch * 2;
  if constexpr (D == 2)
    work(plane, *weights);
  else if constexpr (W > 0)
    simd::static_for<W>([&](auto y) LARMOR_LAMBDA { work(plane + y * step, weights[y]); });
  else
    for (int y = 0; y < a.width; ++y) work(plane + y * step, weights[y]);
}

constexpr int64_t look_ahead = 24;  // samples asked for so many points before they are needed

/// Samples [begin, end) onto the slab, whose plane 0 is `first` seen from them.
template <int D, int W>
__attribute__((noinline)) void spread_single(const SlabRun& run, int64_t begin, int64_t end, int first) {
  using S = SingleWeights<D, W>;
  using Row = typename S::Row;
  const Layout& a = *run.layout;
  const int planes = run.last - run.first, width = width_of<W>(a);
  const int64_t plane_step = a.plane * 2;
  constexpr int64_t stride = D == 2 ? 1 : S::stride;
  for (int64_t j = begin; j < end; ++j) {
    const Point& p = a.points[j];
    if (j + look_ahead < end) __builtin_prefetch(run.group.samples + 2 * int64_t{a.points[j + look_ahead].index});
    S w(a, p);
    const Weight f = weight_of(run.group, p.index);
    const float re = run.group.samples[2 * int64_t{p.index}], im = run.group.samples[2 * int64_t{p.index} + 1];
    const auto value = Row::repeat(re * f.c - im * f.s, im * f.c + re * f.s);
    simd::static_for<S::R>([&](auto r) LARMOR_LAMBDA { w.x[r] = w.x[r] * value; });
    const auto add = [&](float* row, float weight) LARMOR_LAMBDA {
      simd::static_for<S::R>(
          [&](auto r) LARMOR_LAMBDA { Row::store(row + r * S::F, Row::load(row + r * S::F) + w.x[r] * weight); });
    };
    const int from = p.outer - first;
    float* plane = run.slab + from * plane_step + int64_t{p.base} * 2;
    if (W > 0 && from >= 0 && from + W <= planes) {
      simd::static_for<W>([&](auto o)
                              LARMOR_LAMBDA { each_row<D, W>(a, w.rows + o * stride, plane + o * plane_step, add); });
    } else {
      const int until = planes - from < width ? planes - from : width;
      for (int o = from < 0 ? -from : 0; o < until; ++o)
        each_row<D, W>(a, w.rows + o * stride, plane + o * plane_step, add);
    }
  }
}

template <int D, int W>
__attribute__((noinline)) void gather_single(const SlabRun& run) {
  using S = SingleWeights<D, W>;
  using Row = typename S::Row;
  using vec = typename Row::vec;
  const Layout& a = *run.layout;
  const int64_t plane_step = a.plane * 2;
  constexpr int64_t stride = D == 2 ? 1 : S::stride;
  for (int64_t j = run.begin; j < run.end; ++j) {
    const Point& p = a.points[j];
    if (j + look_ahead < run.end)
      __builtin_prefetch(run.group.samples + 2 * int64_t{a.points[j + look_ahead].index}, 1);
    const S w(a, p);
    const float* plane = run.slab + (p.outer - run.first) * plane_step + int64_t{p.base} * 2;
    vec sum[S::R]{};
    const auto add = [&](int64_t o) LARMOR_LAMBDA {
      vec part[S::R]{};
      each_row<D, W>(a, w.rows + o * stride, plane + o * plane_step, [&](const float* row, float weight) LARMOR_LAMBDA {
        simd::static_for<S::R>([&](auto r) LARMOR_LAMBDA { part[r] = part[r] + Row::load(row + r * S::F) * weight; });
      });
      simd::static_for<S::R>([&](auto r) LARMOR_LAMBDA { sum[r] = sum[r] + part[r]; });
    };
    if constexpr (W > 0)
      simd::static_for<W>([&](auto o) LARMOR_LAMBDA { add(o); });
    else
      for (int o = 0; o < a.width; ++o) add(o);
    vec all = sum[0] * w.x[0];
    simd::static_for<S::R - 1>([&](auto r) LARMOR_LAMBDA { all = all + sum[r + 1] * w.x[r + 1]; });
    add_up<S::F>(all, run.group.samples + 2 * int64_t{p.index});
  }
}

template <int D>
void spread_range(const SlabRun& run, int64_t begin, int64_t end, int first) {
  with_width(*run.layout, [&](auto w) LARMOR_LAMBDA { spread_single<D, w.value>(run, begin, end, first); });
}
template <int D>
void gather_range(const SlabRun& run) {
  with_width(*run.layout, [&](auto w) LARMOR_LAMBDA { gather_single<D, w.value>(run); });
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
