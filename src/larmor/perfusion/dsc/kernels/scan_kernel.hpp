// SPDX-License-Identifier: Apache-2.0
#pragma once
// Best of a table of curves for every voxel of a tile.
#include <larmor/fit/curve_types.hpp>

namespace larmor::dsc {

struct ScanRun {
  fit::Candidates candidates;  // of unit norm
  int n, n_data;
  int64_t stride;
  const float* y;  // (n_data, stride)
  float* index;    // (stride) written
};
using ScanKernel = void (*)(const ScanRun&);
/// The copy for the instruction set in use.
ScanKernel scan_kernel();

}  // namespace larmor::dsc
