// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace larmor::dce {

/// One run of voxels for the VFA kernels. `n` is a multiple of vfa_pack.
struct VfaRun {
  std::size_t n;
  int n_volumes;
  const float* const* signal;                    // [volume][voxel]
  const double* FA;                              // [rad] one a volume
  const double* TR;                              // [s] one a volume
  const float* B1;                               // one a voxel, or null
  float *T1, *T1_se, *M0, *M0_se, *R2, *status;  // written; status holds FitStatus values
};
inline constexpr std::size_t vfa_pack = 16;
inline constexpr int vfa_max_volumes = 64;

enum class VfaFit { linear, nonlinear };
/// The copy for the chosen instruction set.
void vfa_run(VfaFit fit, const VfaRun& run);
/// The copy for CUDA: every pointer (and the pointers `signal` holds) in the memory of `device`, any n; returns when
/// done. Errors   Errc::device with the runtime's words
void vfa_launch(VfaFit fit, const VfaRun& run, int device);

}  // namespace larmor::dce
