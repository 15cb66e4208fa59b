// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lines of cells in and out of the transform, and the columns of the outer axis, for several transforms side by side
// (Together) and for one alone (Alone): they differ in how cells become voxels.
#include <larmor/recon/nufft/kernels/line_fft.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {

template <int V>
LARMOR_INLINE void add_cells(float* to, const float* from, int64_t n) {
  using A = At<V, false>;
  for (int64_t i = 0; i < n; ++i, to += 2 * V, from += 2 * V) A::store(to, A::load(to) + A::load(from));
}
template <int V>
LARMOR_INLINE void copy_cells(float* to, const float* from, int64_t n) {
  memcpy(to, from, static_cast<size_t>(n) * 2 * V * sizeof(float));
}

/// The n cells of the image out of a transformed line of N, put `step` cells apart.
template <int V>
LARMOR_INLINE void crop(const LineFft& f, const float* line, int64_t n, float* to, int64_t step) {
  const int64_t below = n / 2;
  const int32_t* order = f.order + f.n - below;
  for (int64_t i = 0; i < below; ++i) copy_cells<V>(to + i * step * 2 * V, line + order[i] * int64_t{2 * V}, 1);
  for (int64_t i = below; i < n; ++i)
    copy_cells<V>(to + i * step * 2 * V, line + f.order[i - below] * int64_t{2 * V}, 1);
}
/// All cells of a transformed line in their order, `step` cells apart.
template <int V>
LARMOR_INLINE void in_order(const LineFft& f, const float* line, float* to, int64_t step) {
  for (int64_t i = 0; i < f.n; ++i) copy_cells<V>(to + i * step * 2 * V, line + f.order[i] * int64_t{2 * V}, 1);
}
/// The other way: n cells into a line of N, zeros between.
template <int V>
LARMOR_INLINE void place(const float* from, int64_t step, int64_t n, int64_t N, float* line) {
  const int64_t below = n / 2, above = n - below, start = N - below;
  for (int64_t i = 0; i < above; ++i) copy_cells<V>(line + i * 2 * V, from + (below + i) * step * 2 * V, 1);
  memset(line + above * 2 * V, 0, static_cast<size_t>(start - above) * 2 * V * sizeof(float));
  for (int64_t i = 0; i < below; ++i) copy_cells<V>(line + (start + i) * 2 * V, from + i * step * 2 * V, 1);
}

/// The last transform of an adjoint, and the image.
template <int D, int V, template <int, int> class How>
void columns_adjoint(const ColumnRun& run) {
  using Way = How<D, V>;
  const Layout& a = *run.layout;
  constexpr int64_t cell = 2 * V;
  float* lines = Way::lines(a, run.lines);
  const LineFft& fft = a.fft[D - 1];
  const int64_t n = a.n[D - 1], N = a.N[D - 1], column = Way::column(a) * cell;
  for (int64_t begin = run.begin; begin < run.end; begin += Way::block) {
    const int64_t count = run.end - begin < Way::block ? run.end - begin : Way::block;
    for (int64_t k = 0; k < count; ++k)
      transform<V, true>(fft, run.middle + (begin + k) * cell, column, lines + k * N * cell);
    Way::template exchange<true>(run, begin, count, lines, N, [&](int64_t i) LARMOR_LAMBDA {
      const int64_t x = i - n / 2;
      return static_cast<int64_t>(fft.order[x < 0 ? x + N : x]);
    });
  }
}

/// The first of a forward transform.
template <int D, int V, template <int, int> class How>
void columns_forward(const ColumnRun& run) {
  using Way = How<D, V>;
  const Layout& a = *run.layout;
  constexpr int64_t cell = 2 * V;
  float* lines = Way::lines(a, run.lines);
  const LineFft& fft = a.fft[D - 1];
  const int64_t n = a.n[D - 1], N = a.N[D - 1], below = n / 2, above = n - below;
  for (int64_t begin = run.begin; begin < run.end; begin += Way::block) {
    const int64_t count = run.end - begin < Way::block ? run.end - begin : Way::block;
    Way::template exchange<false>(run, begin, count, lines, N, [&](int64_t i) LARMOR_LAMBDA {
      const int64_t x = i - below;
      return x < 0 ? x + N : x;
    });
    for (int64_t k = 0; k < count; ++k) {
      float* line = lines + k * N * cell;
      memset(line + above * cell, 0, static_cast<size_t>((N - n) * cell) * sizeof(float));
      transform<V, false>(fft, line, cell, line);
      in_order<V>(fft, line, run.middle + (begin + k) * cell, Way::column(a));
    }
  }
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
