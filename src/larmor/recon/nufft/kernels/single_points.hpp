// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples of one transform alone onto a slab and back, the window's width innermost: a row of the window, real and
// imaginary parts in turn, is one register or two.
#include <larmor/recon/nufft/kernels/slab.hpp>

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

template <int D, int F, int R>
struct SingleWeights {
  typename RowOf<F>::vec x[R];              // each weight twice
  alignas(64) float w[D == 3 ? 2 : 1][16];  // y(, z)
};
template <int D, int F, int R>
LARMOR_INLINE void weights_of(const Layout& a, const Point& at, SingleWeights<D, F, R>& out) {
  using Row = RowOf<F>;
  const float* k = a.doubled;
  simd::static_for<R>([&](auto r) LARMOR_LAMBDA { out.x[r] = Row::load(k + r * F); });
  for (int i = 0; i < a.degree; ++i) {
    k += 32;
    simd::static_for<R>([&](auto r) LARMOR_LAMBDA { out.x[r] = out.x[r] * at.u[0] + Row::load(k + r * F); });
  }
  typedef float Eight __attribute__((vector_size(32)));
  for (int half = 0; half < a.width; half += 8) {
    const auto* c = reinterpret_cast<const Eight*>(a.coefficients + half);
    Eight v[D - 1];
    simd::static_for<D - 1>([&](auto d) LARMOR_LAMBDA { v[d] = *c; });
    for (int i = 0; i < a.degree; ++i) {
      c += 2;
      simd::static_for<D - 1>([&](auto d) LARMOR_LAMBDA { v[d] = v[d] * at.u[d + 1] + *c; });
    }
    simd::static_for<D - 1>([&](auto d) LARMOR_LAMBDA { *reinterpret_cast<Eight*>(out.w[d] + half) = v[d]; });
  }
}

constexpr int64_t look_ahead = 24;  // samples asked for so many points before they are needed

/// Samples [begin, end) onto the slab, whose plane 0 is `first` seen from them.
template <int D, int F, int R>
__attribute__((noinline)) void spread_single(const SlabRun& run, int64_t begin, int64_t end, int first) {
  using Row = RowOf<F>;
  const Layout& a = *run.layout;
  const int planes = run.last - run.first;
  const int64_t plane_step = a.plane * 2, row_step = a.pitch * 2;
  SingleWeights<D, F, R> w;
  for (int64_t j = begin; j < end; ++j) {
    const Point& p = a.points[j];
    if (j + look_ahead < end) __builtin_prefetch(run.group.samples + 2 * int64_t{a.points[j + look_ahead].index});
    weights_of<D, F, R>(a, p, w);
    const Weight f = weight_of(run.group, p.index);
    const float re = run.group.samples[2 * int64_t{p.index}], im = run.group.samples[2 * int64_t{p.index} + 1];
    const auto value = Row::repeat(re * f.c - im * f.s, im * f.c + re * f.s);
    simd::static_for<R>([&](auto r) LARMOR_LAMBDA { w.x[r] = w.x[r] * value; });
    const int from = p.outer - first;
    const int skip = from < 0 ? -from : 0, until = planes - from < a.width ? planes - from : a.width;
    float* plane = run.slab + (from + skip) * plane_step + int64_t{p.base} * 2;
    const auto add = [&](float* row, float weight) LARMOR_LAMBDA {
      simd::static_for<R>([&](auto r)
                              LARMOR_LAMBDA { Row::store(row + r * F, Row::load(row + r * F) + w.x[r] * weight); });
    };
    for (int o = skip; o < until; ++o, plane += plane_step) {
      if constexpr (D == 2) {
        add(plane, w.w[0][o]);
      } else {
        const float across = w.w[1][o];
        float* row = plane;
        for (int y = 0; y < a.width; ++y, row += row_step) add(row, across * w.w[0][y]);
      }
    }
  }
}

template <int D, int F, int R>
__attribute__((noinline)) void gather_single(const SlabRun& run) {
  using Row = RowOf<F>;
  using vec = typename Row::vec;
  const Layout& a = *run.layout;
  const int64_t plane_step = a.plane * 2, row_step = a.pitch * 2;
  SingleWeights<D, F, R> w;
  for (int64_t j = run.begin; j < run.end; ++j) {
    const Point& p = a.points[j];
    weights_of<D, F, R>(a, p, w);
    const float* plane = run.slab + (p.outer - run.first) * plane_step + int64_t{p.base} * 2;
    vec sum[R]{};
    for (int o = 0; o < a.width; ++o, plane += plane_step) {
      if constexpr (D == 2) {
        simd::static_for<R>([&](auto r) LARMOR_LAMBDA { sum[r] = sum[r] + Row::load(plane + r * F) * w.w[0][o]; });
      } else {
        vec part[R]{};
        const float* row = plane;
        for (int y = 0; y < a.width; ++y, row += row_step)
          simd::static_for<R>([&](auto r) LARMOR_LAMBDA { part[r] = part[r] + Row::load(row + r * F) * w.w[0][y]; });
        simd::static_for<R>([&](auto r) LARMOR_LAMBDA { sum[r] = sum[r] + part[r] * w.w[1][o]; });
      }
    }
    vec all = sum[0] * w.x[0];
    simd::static_for<R - 1>([&](auto r) LARMOR_LAMBDA { all = all + sum[r + 1] * w.x[r + 1]; });
    float re = 0, im = 0;
    simd::static_for<F / 2>([&](auto i) LARMOR_LAMBDA { re += all[2 * i], im += all[2 * i + 1]; });
    run.group.samples[2 * int64_t{p.index}] = re, run.group.samples[2 * int64_t{p.index} + 1] = im;
  }
}

/// With registers for the window's width.
template <int D>
void spread_range(const SlabRun& run, int64_t begin, int64_t end, int first) {
  const int width = run.layout->width;
  width <= 4   ? spread_single<D, 8, 1>(run, begin, end, first)
  : width <= 8 ? spread_single<D, 16, 1>(run, begin, end, first)
               : spread_single<D, 16, 2>(run, begin, end, first);
}
template <int D>
void gather_range(const SlabRun& run) {
  const int width = run.layout->width;
  width <= 4 ? gather_single<D, 8, 1>(run) : width <= 8 ? gather_single<D, 16, 1>(run) : gather_single<D, 16, 2>(run);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
