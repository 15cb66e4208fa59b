// SPDX-License-Identifier: Apache-2.0
#pragma once
// One transform alone: its slabs and columns. V lines lie side by side in cells for the Fourier transforms; those of
// the first axis are V rows, of all others V voxels of a row, and squares of V by V are turned over in between.
#include <larmor/recon/nufft/kernels/single_points.hpp>
#include <larmor/recon/nufft/kernels/slab.hpp>

namespace larmor::recon::nufft {
inline namespace LARMOR_ISA_NAMESPACE {

/// V rows of N complex numbers (`step` floats apart; those from `count` on are the last one again) into a line of
/// cells. Reads and writes up to V / 2 - 1 numbers more than N.
template <int V>
LARMOR_INLINE void rows_to_line(const float* rows, int64_t step, int64_t count, int64_t N, float* line) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  for (int64_t x = 0; x < N; x += V / 2) {
    vec row[V];
    simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
      row[v] = *reinterpret_cast<const memory*>(rows + (v < count ? v : count - 1) * step + 2 * x);
    });
    transpose<V>(row);
    simd::static_for<V>([&](auto v) LARMOR_LAMBDA { *reinterpret_cast<memory*>(line + (2 * x + v) * V) = row[v]; });
  }
}
/// A transformed line back into rows, in order, and the first `pads` numbers again behind them.
template <int V>
LARMOR_INLINE void line_to_rows(const LineFft& f, const float* line, float* rows, int64_t step, int64_t count,
                                int64_t pads) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  constexpr int64_t half = V / 2;
  for (int64_t x = 0; x < f.n; x += half) {
    vec row[V];
    simd::static_for<half>([&](auto i) LARMOR_LAMBDA {
      const float* cell = line + f.order[x + i < f.n ? x + i : f.n - 1] * int64_t{2 * V};
      row[2 * i] = *reinterpret_cast<const memory*>(cell), row[2 * i + 1] = *reinterpret_cast<const memory*>(cell + V);
    });
    transpose<V>(row);
    if (x + half <= f.n) {
      simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
        if (v < count) *reinterpret_cast<memory*>(rows + v * step + 2 * x) = row[v];
      });
    } else {
      simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
        if (v < count) memcpy(rows + v * step + 2 * x, &row[v], static_cast<size_t>(f.n - x) * 2 * sizeof(float));
      });
    }
  }
  for (int64_t v = 0; v < count; ++v)
    memcpy(rows + v * step + 2 * int64_t{f.n}, rows + v * step, static_cast<size_t>(pads) * 2 * sizeof(float));
}

/// The n voxels out of a transformed line of V rows, turned into cells of V voxels: `step` floats from row to row.
template <int V>
LARMOR_INLINE void crop_turned(const LineFft& f, const float* line, int64_t n, float* to, int64_t step, int64_t count) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  const int64_t below = n / 2;
  for (int64_t x = 0; x < n; x += V, to += 2 * V) {
    vec re[V], im[V];
    simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
      const int64_t at = (x + v < n ? x + v : n - 1) - below;
      const float* cell = line + f.order[at < 0 ? at + f.n : at] * int64_t{2 * V};
      re[v] = *reinterpret_cast<const memory*>(cell), im[v] = *reinterpret_cast<const memory*>(cell + V);
    });
    transpose<V>(re), transpose<V>(im);
    simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
      if (v < count) {
        *reinterpret_cast<memory*>(to + v * step) = re[v];
        *reinterpret_cast<memory*>(to + v * step + V) = im[v];
      }
    });
  }
}
/// The other way: `from[v]` are the cells of row v. Zeros between.
template <int V>
LARMOR_INLINE void place_turned(const float* const* from, int64_t n, int64_t N, float* line) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  const int64_t below = n / 2, above = n - below;
  memset(line + above * 2 * V, 0, static_cast<size_t>(N - n) * 2 * V * sizeof(float));
  for (int64_t x = 0; x < n; x += V) {
    vec re[V], im[V];
    simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
      re[v] = *reinterpret_cast<const memory*>(from[v] + 2 * x);
      im[v] = *reinterpret_cast<const memory*>(from[v] + 2 * x + V);
    });
    transpose<V>(re), transpose<V>(im);
    simd::static_for<V>([&](auto v) LARMOR_LAMBDA {
      const int64_t at = x + v - below;
      if (x + v < n) {
        float* cell = line + (at < 0 ? at + N : at) * 2 * V;
        *reinterpret_cast<memory*>(cell) = re[v], *reinterpret_cast<memory*>(cell + V) = im[v];
      }
    });
  }
}

/// Cells of V voxels that a row of the image is.
template <int V>
LARMOR_INLINE int64_t blocks_of(const Layout& a) {
  return (a.n[0] + V - 1) / V;
}
struct SingleRoom {
  float *line, *block, *plane;
};
template <int V>
LARMOR_INLINE SingleRoom single_room(const Layout& a, float* lines) {
  const int64_t length = (most_cells(a) + V) * 2 * V;
  return {lines, lines + length, lines + (1 + single_block(a.dims)) * length};
}

template <int D, int V>
void single_slab_adjoint(const SlabRun& run) {
  const Layout& a = *run.layout;
  constexpr int64_t cell = 2 * V;
  const int64_t planes = run.last - run.first, pads = a.width - 1, step = a.pitch * 2, plane_step = a.plane * 2;
  const int64_t blocks = blocks_of<V>(a), column = single_column(a, V) * cell;
  const SingleRoom room = single_room<V>(a, run.lines);
  memset(run.slab, 0, static_cast<size_t>(planes * plane_step + slab_slack) * sizeof(float));
  spread_range<D>(run, run.before_begin, run.before_end, run.first == 0 ? a.N[D - 1] : run.first);
  spread_range<D>(run, run.begin, run.end, run.first);
  // `rows` of the slab from `row` on, into cells of the image's width, `to_step` floats from row to row.
  const auto along_x = [&](float* row, int64_t rows, float* to, int64_t to_step) LARMOR_LAMBDA {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0; i < 2 * pads; ++i) row[r * step + i] += row[r * step + 2 * int64_t{a.N[0]} + i];
    for (int64_t r = 0; r < rows; r += V) {
      const int64_t count = rows - r < V ? rows - r : V;
      rows_to_line<V>(row + r * step, step, count, a.N[0], room.line);
      transform<V, true>(a.fft[0], room.line, cell, room.line);
      crop_turned<V>(a.fft[0], room.line, a.n[0], to + r * to_step, to_step, count);
    }
  };
  float* out = run.middle + run.first * column;
  if constexpr (D == 2) {
    along_x(run.slab, planes, out, column);
  } else {
    for (int64_t o = 0; o < planes; ++o, out += column) {
      float* plane = run.slab + o * plane_step;
      for (int64_t i = 0; i < pads * step; ++i) plane[i] += plane[a.N[1] * step + i];
      along_x(plane, a.N[1], room.plane, blocks * cell);
      for (int64_t b = 0; b < blocks; ++b) {
        transform<V, true>(a.fft[1], room.plane + b * cell, blocks * cell, room.line);
        crop<V>(a.fft[1], room.line, a.n[1], out + b * cell, blocks);
      }
    }
  }
}

template <int D, int V>
void single_slab_forward(const SlabRun& run) {
  const Layout& a = *run.layout;
  constexpr int64_t cell = 2 * V;
  const int64_t pads = a.width - 1, planes = run.last - run.first + pads, step = a.pitch * 2, plane_step = a.plane * 2;
  const int64_t blocks = blocks_of<V>(a), column = single_column(a, V) * cell;
  const SingleRoom room = single_room<V>(a, run.lines);
  // from(r): the cells of row r.
  const auto along_x = [&](const auto& from, int64_t rows, float* row) LARMOR_LAMBDA {
    for (int64_t r = 0; r < rows; r += V) {
      const int64_t count = rows - r < V ? rows - r : V;
      const float* cells[V];
      for (int64_t v = 0; v < V; ++v) cells[v] = from(r + (v < count ? v : count - 1));
      place_turned<V>(cells, a.n[0], a.N[0], room.line);
      transform<V, false>(a.fft[0], room.line, cell, room.line);
      line_to_rows<V>(a.fft[0], room.line, row + r * step, step, count, pads);
    }
  };
  if constexpr (D == 2) {
    along_x([&](int64_t r) LARMOR_LAMBDA { return run.middle + (run.first + r) % a.N[1] * column; }, planes, run.slab);
  } else {
    for (int64_t o = 0; o < planes; ++o) {
      float* plane = run.slab + o * plane_step;
      const float* in = run.middle + (run.first + o) % a.N[2] * column;
      for (int64_t b = 0; b < blocks; ++b) {
        place<V>(in + b * cell, blocks, a.n[1], a.N[1], room.line);
        transform<V, false>(a.fft[1], room.line, cell, room.line);
        in_order<V>(a.fft[1], room.line, room.plane + b * cell, blocks);
      }
      along_x([&](int64_t r) LARMOR_LAMBDA { return room.plane + r * blocks * cell; }, a.N[1], plane);
      memcpy(plane + a.N[1] * step, plane, static_cast<size_t>(pads * step) * sizeof(float));
    }
  }
  // What the last row's register reads behind the slab.
  memset(run.slab + planes * plane_step, 0, slab_slack * sizeof(float));
  gather_range<D>(run);
}

/// Lines of the outer axis, `count` columns from `begin` on, into V voxels of the image each; or the other way.
template <int D, int V, bool to_image, class Order>
LARMOR_INLINE void exchange_single(const ColumnRun& run, int64_t begin, int64_t count, float* lines, int64_t pitch,
                                   const Order& order) {
  using vec = typename FloatsOf<V>::vec;
  using memory = typename FloatsOf<V>::memory;
  const Layout& a = *run.layout;
  constexpr int64_t cell = 2 * V;
  const int64_t n = a.n[D - 1], row = a.n[0], blocks = blocks_of<V>(a), rows = D == 2 ? 1 : a.n[1];
  vec scaling[single_block(D)];
  int64_t at[single_block(D)], width[single_block(D)];  // of the voxels within a plane
  for (int64_t k = 0; k < count; ++k) {
    const int64_t x = (begin + k) % blocks * V, y = (begin + k) / blocks;
    alignas(64) float s[V];
    for (int64_t v = 0; v < V; ++v)
      s[v] = x + v < row ? a.scaling[0][x + v] * (D == 2 ? 1.0f : a.scaling[D - 2][y]) : 0.0f;
    scaling[k] = *reinterpret_cast<const vec*>(s);
    at[k] = 2 * (y * row + x), width[k] = row - x < V ? row - x : V;
  }
  for (int64_t i = 0; i < n; ++i) {
    float* line = lines + order(i) * cell;
    float* pixels = run.group.image + 2 * i * rows * row;
    for (int64_t k = 0; k < count; ++k) {
      float *from = line + k * pitch * cell, *pixel = pixels + at[k];
      const vec s = scaling[k] * a.scaling[D - 1][i];
      if constexpr (to_image) {
        const vec re = *reinterpret_cast<const memory*>(from) * s, im = *reinterpret_cast<const memory*>(from + V) * s;
        const vec low = Zip<V>::low(re, im), high = Zip<V>::high(re, im);
        if (width[k] == V) {
          *reinterpret_cast<memory*>(pixel) = low, *reinterpret_cast<memory*>(pixel + V) = high;
        } else {
          alignas(64) vec both[2] = {low, high};
          memcpy(pixel, both, static_cast<size_t>(width[k]) * 2 * sizeof(float));
        }
      } else {
        alignas(64) vec both[2] = {};
        memcpy(both, pixel, static_cast<size_t>(width[k]) * 2 * sizeof(float));
        *reinterpret_cast<memory*>(from) = Zip<V>::even(both[0], both[1]) * s;
        *reinterpret_cast<memory*>(from + V) = Zip<V>::odd(both[0], both[1]) * s;
      }
    }
  }
}

/// How the columns of one transform go into its image.
template <int D, int V>
struct Alone {
  static constexpr int64_t block = single_block(D);
  static int64_t column(const Layout& a) { return single_column(a, V); }
  static float* lines(const Layout& a, float* room) { return single_room<V>(a, room).block; }
  template <bool to_image, class Order>
  LARMOR_INLINE static void exchange(const ColumnRun& run, int64_t begin, int64_t count, float* lines, int64_t pitch,
                                     const Order& order) {
    exchange_single<D, V, to_image>(run, begin, count, lines, pitch, order);
  }
};

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::recon::nufft
