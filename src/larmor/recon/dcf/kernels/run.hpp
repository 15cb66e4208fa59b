// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernels of every instruction set are given. Plain data: this header goes into the wide objects too.
#include <stddef.h>
#include <stdint.h>

namespace larmor::recon::dcf {

/// Where a sample lies on the grid of its slab [cells]: 1 <= each, and two cells of room above.
struct Place {
  float at[3];
  uint32_t index;
};

constexpr int kernel_terms = 5;
constexpr int kernel_cells = 4;  // cells that the kernel covers along an axis

struct SlabGrid {
  int32_t dims;
  int64_t pitch, plane;  // floats from row to row, and from plane to plane (3D)
  float coefficients[kernel_terms];
  float* cells;
};

struct Functions {
  /// Bytes a sample of what `prepare` makes for a slab's samples (n of them, the same in every call); 0: nothing is
  /// made, and C is computed each time. In 2D its 16 values are kept, at half precision where the processor converts:
  /// their error, 2e-4, is far below what iterations leave.
  size_t prepared_bytes;
  void (*prepare)(const SlabGrid&, const Place*, int64_t n, void* prepared);
  /// cells += weight C around each place.
  void (*spread)(const SlabGrid&, const Place*, const void* prepared, const float* weights, int64_t n);
  /// weights /= sum of cells C around each place.
  void (*divide)(const SlabGrid&, const Place*, const void* prepared, float* weights, int64_t n);
  /// The latter, and with the new weights the former into `next`, laid out as the cells: C is read or computed once.
  void (*iterate)(const SlabGrid&, float* next, const Place*, const void* prepared, float* weights, int64_t n);
};

}  // namespace larmor::recon::dcf
