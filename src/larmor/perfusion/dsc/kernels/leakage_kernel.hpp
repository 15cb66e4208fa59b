// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the leakage correction (CPU objects of every instruction set, CUDA).
#include <stdint.h>

namespace larmor::dsc {

inline constexpr int max_leakage_rates = 16;

struct LeakageRun {
  int n;           // voxels; the arrays have room for whole packs beyond
  int64_t stride;  // leading dimension of y and of what is written
  int n_data, n_directions, n_rates;
  const float* y;           // (n_data, stride) dR2
  const float* directions;  // (n_directions, n_data) orthonormal: what does not leak
  const float* own;         // (n_rates, n_data) of each leaked curve what is not along them
  const float* leaked;      // (n_rates, n_data)
  const float* norm2;       // (n_rates) of `own`
  const float* kep;         // (n_rates) [1/s]
  float freedom;            // degrees of freedom left
  float significance;       // K2 within this many standard errors of 0 is taken as 0

  float *K2, *K2_se, *mean_kep;  // (stride)
  float* corrected;              // (n_data, stride), or null
};

using LeakageKernel = void (*)(const LeakageRun&);
/// The copy for the instruction set in use.
LeakageKernel leakage_kernel();
/// The threads of CUDA one after another.
LeakageKernel leakage_kernel_scalar();
/// Pointers of `run` in the memory of CUDA device `device`.
void leakage_launch(const LeakageRun& run, int device);

}  // namespace larmor::dsc
