// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernels of every instruction set are given. Plain data: this header goes into the wide objects too.
#include <stddef.h>
#include <stdint.h>

namespace larmor::recon::nufft {

/// One sample on the grid, in the order of the sort.
struct Point {
  float u[3];      // 2 u - 1 in x, y, z (2D: x, y): where it lies within a cell, [-1, 1)
  int32_t base;    // first cell it touches within a plane of the last axis, in cells
  int32_t outer;   // first plane it touches, [0, N)
  uint32_t index;  // which sample it is
};

constexpr int max_stages = 16;

/// Fourier transform of one length, for as many lines side by side as a register has lanes.
struct LineFft {
  int32_t n;
  int32_t stages;
  int32_t radix[max_stages];
  const float* twiddles[max_stages];  // [p][r - 1] (cos, sin) of -2 pi p k / (length of the stage)
  const int32_t* order;               // where frequency k lands
};

/// The last axis is the outer one: its planes are cut into slabs, each of which fits a cache and belongs to one thread.
/// A plane is a row of cells in 2D and rows of cells in 3D; it carries width - 1 cells more than the period in each
/// direction, which are folded back.
struct Layout {
  int32_t dims;
  int32_t width, degree;
  const float* coefficients;  // [degree + 1][16], rows padded with zeros; those of up to 4 points begin again at 4
  const float* doubled;       // [degree + 1][32], each twice
  int32_t n[3], N[3];         // image and grid
  int64_t pitch;              // cells from row to row within a plane (3D), N[0] + width - 1
  int64_t plane;              // cells from plane to plane of a slab
  int64_t column;             // cells of one plane once its inner axes are images: n[0] (n[1]), and padding
  LineFft fft[3];
  const float* scaling[3];  // p of each axis, n[axis]
  const Point* points;
};

/// Some of the transforms, side by side: lane v is transform v; or one alone.
struct Group {
  int32_t lanes, active;
  const float* weights;  // of samples, in their order; null: 1
  bool complex_weights;  // (re, im) each, else real
  float* samples;        // complex, interleaved; transform v begins at v * sample_stride
  int64_t sample_stride;
  float* image;
  int64_t image_stride;
};

struct SlabRun {
  const Layout* layout;
  Group group;
  int32_t first, last;  // planes [first, last)
  // Points whose first plane lies in the slab, [begin, end), those of them that reach beyond its end at the end of the
  // range; and those of the slab before that reach into this one.
  int64_t begin, end;
  int64_t before_begin, before_end;
  float* slab;    // (last - first [+ width - 1]) planes of cells
  float* lines;   // room for lines: see line_floats
  float* middle;  // [N of the outer axis][column] cells
};

struct ColumnRun {
  const Layout* layout;
  Group group;
  int64_t begin, end;  // columns
  float* lines;
  float* middle;
};

/// Functions of one instruction set for one number of lanes.
struct Kernels {
  void (*slab_adjoint)(const SlabRun&);
  void (*slab_forward)(const SlabRun&);
  void (*columns_adjoint)(const ColumnRun&);
  void (*columns_forward)(const ColumnRun&);
  int32_t cell_lanes;  // real parts of a cell: the transforms, or of one transform the lines side by side
};

/// Degree of the polynomials of a window of 2 to 8 points: as many as the best window of any oversampling needs, so
/// that the kernels know it when they are compiled. Lower ones get zeros in front.
constexpr int window_degree(int width) { return width < 8 ? width + 1 : 8; }

constexpr int chunk_points = 128;  // samples packed at a time
constexpr int column_block = 8;    // columns transformed before they are put into their images
/// Of one transform; in 2D fewer, because a slice of a map has little else to keep and every thread has its own.
constexpr int single_block(int dims) { return dims == 2 ? 4 : 8; }

constexpr int slab_slack = 64;  // floats behind a slab that registers of one transform reach

static inline int64_t most_cells(const Layout& a) {
  int64_t most = 0;
  for (int d = 0; d < a.dims; ++d) most = a.N[d] > most ? a.N[d] : most;
  return most;
}
/// Floats of SlabRun::lines and ColumnRun::lines.
static inline int64_t line_floats(const Layout& a, int lanes) {
  return ((1 + (int64_t)column_block) * most_cells(a) + chunk_points) * 2 * lanes;
}
/// Columns and line_floats of one transform whose cells have `lanes` voxels; an odd number of columns, as `column`.
static inline int64_t single_columns(const Layout& a, int lanes) {
  return (a.n[0] + lanes - 1) / lanes * (a.dims == 3 ? (int64_t)a.n[1] : 1);
}
static inline int64_t single_column(const Layout& a, int lanes) { return single_columns(a, lanes) | 1; }
static inline int64_t single_line_floats(const Layout& a, int lanes) {
  const int64_t plane = a.dims == 3 ? (int64_t)a.N[1] * ((a.n[0] + lanes - 1) / lanes) : 0;
  return ((1 + (int64_t)single_block(a.dims)) * (most_cells(a) + lanes) + plane) * 2 * lanes;
}

}  // namespace larmor::recon::nufft
