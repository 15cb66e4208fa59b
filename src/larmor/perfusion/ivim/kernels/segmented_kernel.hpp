// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the kernels of the segmented fit.
#include <stdint.h>

namespace larmor::ivim {

inline constexpr int segmented_tile = 512;
inline constexpr int segmented_stride = segmented_tile + 16;
inline constexpr int segmented_max_samples = 128;
inline constexpr int segmented_starts = 16;

struct SegmentedRun {
  int64_t n, stride;  // n a multiple of 32 on the CPU: two packs
  int n_samples;
  const float* b;                     // (n_samples) [s/mm2]
  const uint8_t* part;                // (n_samples) 0: low b, 1: b = 0, 2: at or above the threshold
  int n_zero;                         // samples at b = 0
  const float* y;                     // (n_samples, stride)
  float lower[4], upper[4];           // S0, f, D, D_star
  float starts[segmented_starts];     // of D_star, rising
  const float* fast;                  // (segmented_starts, n_samples) exp(-b start)
  float fast_fast[segmented_starts];  // and the sums of its squares
  float* value[4];
  float* error[4];
  float* residual_sd;
  float* status;  // FitStatus values
};

/// The copy for the instruction set in use.
void (*segmented_kernel())(const SegmentedRun&);
/// One number a lane, voxel after voxel, as CUDA does it; all pointers in the memory of the CPU, the number unused.
void segmented_emulated(const SegmentedRun& run, int);
/// All pointers in the memory of CUDA device `device`; only in programs with CUDA.
void segmented_launch(const SegmentedRun& run, int device);

}  // namespace larmor::ivim
