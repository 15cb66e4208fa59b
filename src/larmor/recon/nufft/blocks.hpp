// SPDX-License-Identifier: Apache-2.0
#pragma once
// The NUFFT by blocks of threads: what each thread does between two barriers, as functions for both sides. CUDA runs
// them in kernels (blocks_cuda.cu), a test runs them thread after thread on the CPU.
//
// Spreading goes by what it writes: the grid is cut into tiles, each tile has a list of the samples that touch it, and
// a thread adds up its own cells over that list. No two threads write one cell, so there are no atomic operations, the
// grid need not be cleared, and the result is the same every time. Long lists are cut into pieces whose sums are added
// in order at the end, as the sub-problems of Shih et al., arXiv:2102.08463 (2021).
#include <stdint.h>

#include <larmor/core/simd/lane.hpp>

namespace larmor::recon::nufft {

/// Complex, read and written at once.
struct alignas(8) BlockComplex {
  float re, im;
};

/// One sample, in the order of the tiles that the samples begin in.
struct BlockPoint {
  float u[3];        // 2 u - 1 along each axis
  int32_t start[3];  // first cell it touches, [0, N)
  uint32_t index;    // which sample it is
};

/// Entries [begin, end) of the list of one tile. Its sums go to the grid, or to room `partial` when there are others.
struct Piece {
  int32_t tile;
  uint32_t begin, end;
  int32_t partial;  // -1: the only piece
};
/// A tile whose rooms [first, first + count) are to be added up.
struct Joint {
  int32_t tile, first, count;
};

constexpr int block_chunk = 32;      // samples that a block prepares at a time
constexpr int block_pieces = 1024;   // entries of a piece at most
constexpr int block_row = 16;        // floats a row of coefficients
constexpr int block_max_width = 12;  // that of the windows

/// Cells of a tile; a thread owns `owned` of them along the last axis.
template <int D>
struct TileOf;
template <>
struct TileOf<2> {
  static constexpr int x = 16, y = 16, z = 1, owned = 4;
  static constexpr int inner = x, slots = x + y, last = x;
  static constexpr int cells = x * y, threads = cells / owned;
};
template <>
struct TileOf<3> {
  static constexpr int x = 8, y = 8, z = 8, owned = 4;
  static constexpr int inner = x * y, slots = x + y + z, last = x + y;
  static constexpr int cells = x * y * z, threads = cells / owned;
};

/// All that a plan knows; pointers are to where the work runs. In 2D the third axis is one cell and one tile.
struct BlockView {
  int32_t width, degree;
  int32_t n[3], N[3], tiles[3];
  int64_t cells, voxels, n_points;  // of one transform
  int32_t n_pieces, n_joints, n_partials;
  const float* coefficients;  // [degree + 1][block_row]
  const float* scaling[3];    // n[axis] each
  const BlockPoint* points;
  const uint32_t* touching;  // lists of all tiles, one after the other: places in `points`
  const Piece* pieces;
  const Joint* joints;
};

/// `count` transforms side by side.
struct BlockCall {
  int32_t count;
  bool complex_weights;
  const float* weights;    // of samples, in their order; null: 1
  BlockComplex* samples;   // transform v begins at v n_points
  BlockComplex* grid;      // v cells
  BlockComplex* partials;  // v n_partials (cells of a tile)
  BlockComplex* image;     // v voxels
};

/// c_l(u) of the window: the polynomial that the CPU's kernels evaluate, in the same order.
LARMOR_HD float window_weight(const float* coefficients, int degree, int l, float u) {
  float c = coefficients[l];
  for (int k = 1; k <= degree; ++k) c = c * u + coefficients[k * block_row + l];
  return c;
}

/// Cell of a tile along an axis to cell of the grid, and the first cell of a tile.
template <int D>
LARMOR_HD void tile_origin(const BlockView& v, int tile, int* origin) {
  origin[0] = tile % v.tiles[0] * TileOf<D>::x;
  origin[1] = tile / v.tiles[0] % v.tiles[1] * TileOf<D>::y;
  origin[2] = tile / v.tiles[0] / v.tiles[1] * TileOf<D>::z;
}

/// What a block shares.
template <int D, int C>
struct SpreadRoom {
  float coefficients[16 * block_row];
  float weights[block_chunk][TileOf<D>::slots];  // of each sample along x, then y(, then z) of the tile's cells
  BlockComplex values[block_chunk][C];
};
/// What a thread keeps.
template <int D, int C>
struct SpreadSums {
  float re[TileOf<D>::owned][C], im[TileOf<D>::owned][C];
};

template <int D, int C>
LARMOR_HD void spread_begin(const BlockView& v, int t, SpreadRoom<D, C>& room, SpreadSums<D, C>& sums) {
  for (int i = t; i < (v.degree + 1) * block_row; i += TileOf<D>::threads) room.coefficients[i] = v.coefficients[i];
  for (int r = 0; r < TileOf<D>::owned; ++r)
    for (int c = 0; c < C; ++c) sums.re[r][c] = 0, sums.im[r][c] = 0;
}

/// Thread t's share of the next samples, from entry `from` on: their weights in this tile, and their values.
template <int D, int C>
LARMOR_HD void spread_stage(const BlockView& v, const BlockCall& call, const Piece& piece, int first, uint32_t from,
                            int t, SpreadRoom<D, C>& room) {
  using T = TileOf<D>;
  const int left = static_cast<int>(piece.end - from), count = left < block_chunk ? left : block_chunk;
  int origin[3];
  tile_origin<D>(v, piece.tile, origin);
  for (int i = t; i < count * T::slots; i += T::threads) {
    const int p = i / T::slots, slot = i % T::slots;
    const int d = slot < T::x ? 0 : slot < T::x + T::y ? 1 : 2;
    const int cell = origin[d] + slot - (d == 0 ? 0 : d == 1 ? T::x : T::x + T::y);
    const BlockPoint& at = v.points[v.touching[from + static_cast<uint32_t>(p)]];
    int l = cell - at.start[d];
    if (l < 0) l += v.N[d];
    room.weights[p][slot] =
        cell < v.N[d] && l < v.width ? window_weight(room.coefficients, v.degree, l, at.u[d]) : 0.0F;
  }
  for (int i = t; i < block_chunk * C; i += T::threads) {
    const int p = i % block_chunk, c = i / block_chunk;
    if (p >= count) continue;
    const int64_t index = v.points[v.touching[from + static_cast<uint32_t>(p)]].index;
    BlockComplex s{0, 0};
    if (first + c < call.count) {
      s = call.samples[(first + c) * v.n_points + index];
      if (call.weights && call.complex_weights) {
        const float a = call.weights[2 * index], b = call.weights[2 * index + 1];
        s = {s.re * a - s.im * b, s.im * a + s.re * b};
      } else if (call.weights) {
        s = {s.re * call.weights[index], s.im * call.weights[index]};
      }
    }
    room.values[p][c] = s;
  }
}

/// Adds the samples that are prepared to thread t's cells.
template <int D, int C>
LARMOR_HD void spread_add(const Piece& piece, uint32_t from, int t, const SpreadRoom<D, C>& room,
                          SpreadSums<D, C>& sums) {
  using T = TileOf<D>;
  const int left = static_cast<int>(piece.end - from), count = left < block_chunk ? left : block_chunk;
  const int inner = t % T::inner, outer = T::last + t / T::inner * T::owned;
  for (int p = 0; p < count; ++p) {
    const float* w = room.weights[p];
    float across = w[inner % T::x];
    if (D == 3) across *= w[T::x + inner / T::x];
    if (across == 0) continue;
    for (int r = 0; r < T::owned; ++r) {
      const float weight = across * w[outer + r];
      for (int c = 0; c < C; ++c) {
        sums.re[r][c] += weight * room.values[p][c].re;
        sums.im[r][c] += weight * room.values[p][c].im;
      }
    }
  }
}

/// Where cell `cell` of a tile lies in the grid; -1: beyond it.
template <int D>
LARMOR_HD int64_t grid_cell(const BlockView& v, int tile, int cell) {
  using T = TileOf<D>;
  int origin[3];
  tile_origin<D>(v, tile, origin);
  const int x = origin[0] + cell % T::x, y = origin[1] + cell / T::x % T::y, z = origin[2] + cell / (T::x * T::y);
  if (x >= v.N[0] || y >= v.N[1] || z >= v.N[2]) return -1;
  return (static_cast<int64_t>(z) * v.N[1] + y) * v.N[0] + x;
}

template <int D, int C>
LARMOR_HD void spread_write(const BlockView& v, const BlockCall& call, const Piece& piece, int first, int t,
                            const SpreadSums<D, C>& sums) {
  using T = TileOf<D>;
  for (int r = 0; r < T::owned; ++r) {
    const int cell = (t / T::inner * T::owned + r) * T::inner + t % T::inner;
    const int64_t at = grid_cell<D>(v, piece.tile, cell);
    if (at < 0) continue;
    for (int c = 0; c < C && first + c < call.count; ++c) {
      BlockComplex& to =
          piece.partial < 0
              ? call.grid[(first + c) * v.cells + at]
              : call.partials[(static_cast<int64_t>(first + c) * v.n_partials + piece.partial) * T::cells + cell];
      to = {sums.re[r][c], sums.im[r][c]};
    }
  }
}

/// Adds up one cell of a tile that was cut into pieces, in their order.
template <int D>
LARMOR_HD void join_cell(const BlockView& v, const BlockCall& call, const Joint& joint, int transform, int cell) {
  constexpr int cells = TileOf<D>::cells;
  const int64_t at = grid_cell<D>(v, joint.tile, cell);
  if (at < 0) return;
  float re = 0, im = 0;
  const BlockComplex* from =
      call.partials + (static_cast<int64_t>(transform) * v.n_partials + joint.first) * cells + cell;
  for (int i = 0; i < joint.count; ++i, from += cells) re += from->re, im += from->im;
  call.grid[transform * v.cells + at] = {re, im};
}

/// Sample j of the order out of the grids of transforms first ... first + C - 1.
template <int D, int C>
LARMOR_HD void interpolate_point(const BlockView& v, const BlockCall& call, int first, int64_t j) {
  const BlockPoint p = v.points[j];
  float w[D][block_max_width];
  for (int d = 0; d < D; ++d)
    for (int l = 0; l < v.width; ++l) w[d][l] = window_weight(v.coefficients, v.degree, l, p.u[d]);
  float re[C] = {}, im[C] = {};
  for (int o = 0; o < (D == 3 ? v.width : 1); ++o) {
    int z = D == 3 ? p.start[2] + o : 0;
    if (z >= v.N[2]) z -= v.N[2];
    for (int m = 0; m < v.width; ++m) {
      int y = p.start[1] + m;
      if (y >= v.N[1]) y -= v.N[1];
      const BlockComplex* row = call.grid + first * v.cells + (static_cast<int64_t>(z) * v.N[1] + y) * v.N[0];
      float row_re[C] = {}, row_im[C] = {};
      for (int l = 0; l < v.width; ++l) {
        int x = p.start[0] + l;
        if (x >= v.N[0]) x -= v.N[0];
        for (int c = 0; c < C; ++c)
          if (first + c < call.count) {
            const BlockComplex cell = row[c * v.cells + x];
            row_re[c] += w[0][l] * cell.re, row_im[c] += w[0][l] * cell.im;
          }
      }
      const float across = D == 3 ? w[1][m] * w[D - 1][o] : w[1][m];
      for (int c = 0; c < C; ++c) re[c] += across * row_re[c], im[c] += across * row_im[c];
    }
  }
  for (int c = 0; c < C && first + c < call.count; ++c)
    call.samples[(first + c) * v.n_points + p.index] = {re[c], im[c]};
}

/// Voxel i of the image out of the transformed grid, scaled.
LARMOR_HD void crop_voxel(const BlockView& v, const BlockCall& call, int transform, int i) {
  const int at[3] = {i % v.n[0], i / v.n[0] % v.n[1], i / v.n[0] / v.n[1]};
  int64_t cell = 0;
  float scaling = 1;
  for (int d = 2; d >= 0; --d) {
    const int x = at[d] - v.n[d] / 2;
    cell = cell * v.N[d] + (x < 0 ? x + v.N[d] : x);
    if (v.scaling[d]) scaling *= v.scaling[d][at[d]];
  }
  const BlockComplex from = call.grid[transform * v.cells + cell];
  call.image[transform * v.voxels + i] = {from.re * scaling, from.im * scaling};
}

/// Cell i of the grid from the image, scaled, or zero outside of it.
LARMOR_HD void place_cell(const BlockView& v, const BlockCall& call, int transform, int i) {
  const int at[3] = {i % v.N[0], i / v.N[0] % v.N[1], i / v.N[0] / v.N[1]};
  int64_t voxel = 0;
  float scaling = 1;
  bool inside = true;
  for (int d = 2; d >= 0; --d) {
    const int below = v.n[d] / 2, x = at[d] < v.N[d] - below ? at[d] + below : at[d] - (v.N[d] - below);
    inside = inside && x < v.n[d];
    voxel = voxel * v.n[d] + x;
    if (v.scaling[d] && inside) scaling *= v.scaling[d][x];
  }
  BlockComplex value{0, 0};
  if (inside) {
    value = call.image[transform * v.voxels + voxel];
    value = {value.re * scaling, value.im * scaling};
  }
  call.grid[transform * v.cells + i] = value;
}

}  // namespace larmor::recon::nufft
