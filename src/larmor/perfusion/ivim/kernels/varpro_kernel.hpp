// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the kernels of variable projection.
#include <stdint.h>

namespace larmor::ivim {

inline constexpr int varpro_tile = 256;
inline constexpr int varpro_stride = varpro_tile + 16;
inline constexpr int varpro_D_starts = 8, varpro_star_starts = 8;

struct VarproRun {
  int64_t n, stride;  // n a multiple of 8 on the CPU
  int n_samples;
  const double* b;                  // (n_samples) [s/mm2]
  const double* weight;             // (n_samples) relative inverse variances
  const double* y;                  // (n_samples, stride)
  double lower[4], upper[4];        // S0 (0 and none), f, D, D_star
  double D_start[varpro_D_starts];  // of the search for a start, with exp(-b D) of each
  double star_start[varpro_star_starts];
  const double* slow;  // (varpro_D_starts, n_samples)
  const double* fast;  // (varpro_star_starts, n_samples)
  int max_iterations;
  double tolerance;
  double* value[4];
  double* error[4];
  double* sse;
  double* status;  // FitStatus values
  double* iterations;
};

/// The copy for the instruction set in use.
void (*varpro_kernel())(const VarproRun&);
/// One number a lane, voxel after voxel, as CUDA does it; all pointers in the memory of the CPU, the number unused.
void varpro_emulated(const VarproRun& run, int);
/// All pointers in the memory of CUDA device `device`; only in programs with CUDA.
void varpro_launch(const VarproRun& run, int device);

}  // namespace larmor::ivim
