// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the kernel that draws fitted gamma variates.
#include <stdint.h>

namespace larmor::dsc {

struct GammaVariateRun {
  int64_t n;               // voxels
  const float* params[4];  // (n) peak, t_peak, width, skew; NaN where there is no curve
  int n_times;
  const float* times;  // (n_times) [s]
  float* curves;       // (n_times, n)
};

/// Draws voxels from `begin` to `end`.
using GammaVariateKernel = void (*)(const GammaVariateRun&, int64_t begin, int64_t end);
/// The copy for the instruction set in use.
GammaVariateKernel gamma_variate_kernel();

}  // namespace larmor::dsc
