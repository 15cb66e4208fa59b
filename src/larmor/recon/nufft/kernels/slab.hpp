// SPDX-License-Identifier: Apache-2.0
#pragma once
// Several transforms side by side: their slabs and columns. A cell is one grid point of V transforms.
#include <larmor/recon/nufft/kernels/columns.hpp>
#include <larmor/recon/nufft/kernels/slab_points.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {

struct Room {
  float *line, *block, *cells;
};
template <int V>
Room room_of(const Layout& a, float* lines) {
  const int64_t most = most_cells(a);
  float* block = lines + most * 2 * V;
  return {lines, block, block + column_block * most * 2 * V};
}

template <int D, int V>
void slab_adjoint_of(const SlabRun& run) {
  const Layout& a = *run.layout;
  const int64_t planes = run.last - run.first, cell = 2 * V, pads = a.width - 1;
  const Room room = room_of<V>(a, run.lines);
  memset(run.slab, 0, static_cast<size_t>(planes * a.plane * cell) * sizeof(float));
  memset(room.cells, 0, static_cast<size_t>(chunk_points * cell) * sizeof(float));
  spread_range<D, V>(run, run.before_begin, run.before_end, run.first == 0 ? a.N[D - 1] : run.first, room.cells);
  spread_range<D, V>(run, run.begin, run.end, run.first, room.cells);

  for (int64_t o = 0; o < planes; ++o) {
    float* plane = run.slab + o * a.plane * cell;
    float* out = run.middle + (run.first + o) * a.column * cell;
    if constexpr (D == 3)
      for (int64_t y = 0; y < pads; ++y)
        add_cells<V>(plane + y * a.pitch * cell, plane + (a.N[1] + y) * a.pitch * cell, a.pitch);
    const int64_t rows = D == 2 ? 1 : a.N[1];
    for (int64_t y = 0; y < rows; ++y) {
      float* row = plane + y * a.pitch * cell;
      add_cells<V>(row, row + a.N[0] * cell, pads);
      transform<V, true>(a.fft[0], row, cell, room.line);
      // In 3D the shortened rows move together: never past a row that is still to be read.
      crop<V>(a.fft[0], room.line, a.n[0], D == 2 ? out : plane + y * a.n[0] * cell, 1);
    }
    if constexpr (D == 3)
      for (int64_t x = 0; x < a.n[0]; ++x) {
        transform<V, true>(a.fft[1], plane + x * cell, a.n[0] * cell, room.line);
        crop<V>(a.fft[1], room.line, a.n[1], out + x * cell, a.n[0]);
      }
  }
}

template <int D, int V>
void slab_forward_of(const SlabRun& run) {
  const Layout& a = *run.layout;
  const int64_t cell = 2 * V, pads = a.width - 1, planes = run.last - run.first + pads;
  const Room room = room_of<V>(a, run.lines);
  for (int64_t o = 0; o < planes; ++o) {
    float* plane = run.slab + o * a.plane * cell;
    const float* in = run.middle + ((run.first + o) % a.N[D - 1]) * a.column * cell;
    if constexpr (D == 3)
      // Shortened rows, kept at the end of the plane's room until each is spread out to its place before them.
      for (int64_t x = 0; x < a.n[0]; ++x) {
        place<V>(in + x * cell, a.n[0], a.n[1], a.N[1], room.line);
        transform<V, false>(a.fft[1], room.line, cell, room.line);
        in_order<V>(a.fft[1], room.line, plane + (a.plane - a.N[1] * a.n[0] + x) * cell, a.n[0]);
      }
    const int64_t rows = D == 2 ? 1 : a.N[1];
    for (int64_t y = 0; y < rows; ++y) {
      float* row = plane + y * a.pitch * cell;
      place<V>(D == 2 ? in : plane + (a.plane - (a.N[1] - y) * a.n[0]) * cell, 1, a.n[0], a.N[0], room.line);
      transform<V, false>(a.fft[0], room.line, cell, room.line);
      in_order<V>(a.fft[0], room.line, row, 1);
      copy_cells<V>(row + a.N[0] * cell, row, pads);
    }
    if constexpr (D == 3) copy_cells<V>(plane + a.N[1] * a.pitch * cell, plane, pads * a.pitch);
  }
  gather_range<D, V>(run, room.cells);
}

template <int D>
LARMOR_INLINE float inner_scaling(const Layout& a, int64_t column) {
  if constexpr (D == 2) return a.scaling[0][column];
  return a.scaling[0][column % a.n[0]] * a.scaling[1][column / a.n[0]];
}

/// `count` columns from `begin` on, of which one line of cells each lies in `lines` (`pitch` cells apart), into the
/// rows of the images: image row i is cell order(i), times scaling(i) and the column's own. Or the other way.
template <int D, int V, bool to_image, class Order>
LARMOR_INLINE void exchange(const ColumnRun& run, int64_t begin, int64_t count, float* lines, int64_t pitch,
                            const Order& order) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  const Layout& a = *run.layout;
  const Group& g = run.group;
  constexpr int64_t cell = 2 * V, half = V / 2;
  const int64_t n = a.n[D - 1], columns = D == 2 ? a.n[0] : static_cast<int64_t>(a.n[0]) * a.n[1];
  float s[column_block];
  for (int64_t k = 0; k < count; ++k) s[k] = inner_scaling<D>(a, begin + k);
  for (int64_t i = 0; i < n; ++i) {
    float* line = lines + order(i) * cell;
    float* pixel = g.image + 2 * (i * columns + begin);
    const float scaling = a.scaling[D - 1][i];
    int64_t k = 0;
    // V / 2 columns by V transforms are a square of V by V numbers.
    for (; g.active == V && k + half <= count; k += half) {
      vec row[V];
      if constexpr (to_image) {
        simd::static_for<half>([&](auto c) LARMOR_LAMBDA {
          const float f = s[k + c] * scaling;
          row[2 * c] = *reinterpret_cast<const memory*>(line + (k + c) * pitch * cell) * f;
          row[2 * c + 1] = *reinterpret_cast<const memory*>(line + (k + c) * pitch * cell + V) * f;
        });
        transpose<V>(row);
        simd::static_for<V>(
            [&](auto v) LARMOR_LAMBDA { *reinterpret_cast<memory*>(pixel + v * g.image_stride + 2 * k) = row[v]; });
      } else {
        simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
          row[v] = *reinterpret_cast<const memory*>(pixel + v * g.image_stride + 2 * k);
        });
        transpose<V>(row);
        simd::static_for<half>([&](auto c) LARMOR_LAMBDA {
          const float f = s[k + c] * scaling;
          *reinterpret_cast<memory*>(line + (k + c) * pitch * cell) = row[2 * c] * f;
          *reinterpret_cast<memory*>(line + (k + c) * pitch * cell + V) = row[2 * c + 1] * f;
        });
      }
    }
    for (; k < count; ++k) {
      const float f = s[k] * scaling;
      float* at = line + k * pitch * cell;
      for (int v = 0; v < g.active; ++v) {
        float* p = pixel + v * g.image_stride + 2 * k;
        if constexpr (to_image)
          p[0] = at[v] * f, p[1] = at[V + v] * f;
        else
          at[v] = p[0] * f, at[V + v] = p[1] * f;
      }
    }
  }
}

/// How the columns of several transforms go into images.
template <int D, int V>
struct Together {
  static constexpr int64_t block = column_block;
  static int64_t column(const Layout& a) { return a.column; }
  static float* lines(const Layout& a, float* room) { return room_of<V>(a, room).block; }
  template <bool to_image, class Order>
  LARMOR_INLINE static void exchange(const ColumnRun& run, int64_t begin, int64_t count, float* lines, int64_t pitch,
                                     const Order& order) {
    // Lanes without a transform are zeros.
    if (!to_image && run.group.active < V) memset(lines, 0, static_cast<size_t>(count * pitch * 2 * V) * sizeof(float));
    larmor::recon::nufft::exchange<D, V, to_image>(run, begin, count, lines, pitch, order);
  }
};

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
