// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples of several transforms into cells, one a sample, and back: squares of V by V numbers are turned over.
#include <larmor/recon/nufft/kernels/line_fft.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {

/// How many of the points from j on follow each other in memory: up to `most`.
LARMOR_INLINE int64_t run_of(const Point* points, int64_t j, int64_t end, int64_t most) {
  int64_t n = 1;
  while (n < most && j + n < end && points[j + n].index == points[j].index + n) ++n;
  return n;
}
/// The weight of a sample: c + i s.
struct Weight {
  float c, s;
};
LARMOR_INLINE Weight weight_of(const Group& g, int64_t index) {
  if (!g.weights) return {1, 0};
  if (g.complex_weights) return {g.weights[2 * index], g.weights[2 * index + 1]};
  return {g.weights[index], 0};
}
// From so many samples in a row on a transpose of V / 2 costs less than moving numbers one by one.
constexpr int64_t worth_transposing = 3;

/// Samples [begin, end) of the sort into cells, one a sample; lanes without a transform stay as they are.
template <int V>
__attribute__((noinline)) void pack(const SlabRun& run, int64_t begin, int64_t end, float* cells) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  const Group& g = run.group;
  const Point* points = run.layout->points;
  for (int64_t j = begin; j < end;) {
    const int64_t n = run_of(points, j, end, V / 2), index = points[j].index;
    const float* sample = g.samples + 2 * index;
    if (n >= worth_transposing && g.active == V && index + V / 2 <= g.sample_stride / 2) {
      vec row[V];
      simd::static_for<V>(
          [&](auto v) LARMOR_LAMBDA { row[v] = *reinterpret_cast<const memory*>(sample + v * g.sample_stride); });
      transpose<V>(row);
      for (int64_t i = 0; i < n; ++i) {
        const Weight w = weight_of(g, index + i);
        vec re, im;
        // A chain of constants: rows stay in registers.
        simd::static_for<V / 2>([&](auto k) LARMOR_LAMBDA {
          if (k == i) re = row[2 * k], im = row[2 * k + 1];
        });
        *reinterpret_cast<memory*>(cells + i * 2 * V) = re * w.c - im * w.s;
        *reinterpret_cast<memory*>(cells + i * 2 * V + V) = im * w.c + re * w.s;
      }
    } else {
      for (int64_t i = 0; i < n; ++i) {
        const Weight w = weight_of(g, index + i);
        const float* from = sample + 2 * i;
        for (int v = 0; v < g.active; ++v, from += g.sample_stride) {
          cells[i * 2 * V + v] = from[0] * w.c - from[1] * w.s;
          cells[i * 2 * V + V + v] = from[1] * w.c + from[0] * w.s;
        }
      }
    }
    j += n, cells += n * 2 * V;
  }
}
template <int V>
__attribute__((noinline)) void unpack(const SlabRun& run, int64_t begin, int64_t end, const float* cells) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  const Group& g = run.group;
  const Point* points = run.layout->points;
  for (int64_t j = begin; j < end;) {
    const int64_t n = run_of(points, j, end, V / 2), index = points[j].index;
    float* sample = g.samples + 2 * index;
    if (n >= worth_transposing && g.active == V) {
      vec row[V];
      simd::static_for<V>([&](auto r) LARMOR_LAMBDA {
        if (r < 2 * n)
          row[r] = *reinterpret_cast<const memory*>(cells + r * V);
        else
          row[r] = vec{};
      });
      transpose<V>(row);
      if (n == V / 2) {
        simd::static_for<V>([&](auto v)
                                LARMOR_LAMBDA { *reinterpret_cast<memory*>(sample + v * g.sample_stride) = row[v]; });
      } else {
        const auto bytes = static_cast<size_t>(n) * 2 * sizeof(float);
        alignas(64) float all[V * V];
        simd::static_for<V>([&](auto v) LARMOR_LAMBDA { *reinterpret_cast<vec*>(all + v * V) = row[v]; });
        for (int v = 0; v < V; ++v)
          for (size_t b = 0; b < bytes; b += 8)
            memcpy(reinterpret_cast<char*>(sample + v * g.sample_stride) + b,
                   reinterpret_cast<const char*>(all + v * V) + b, 8);
      }
    } else {
      for (int64_t i = 0; i < n; ++i) {
        float* to = sample + 2 * i;
        for (int v = 0; v < g.active; ++v, to += g.sample_stride) {
          to[0] = cells[i * 2 * V + v];
          to[1] = cells[i * 2 * V + V + v];
        }
      }
    }
    j += n, cells += n * 2 * V;
  }
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
