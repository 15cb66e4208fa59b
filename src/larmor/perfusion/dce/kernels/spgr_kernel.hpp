// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace larmor::dce {

/// Concentration of `n` neighbouring voxels in one frame from their signals, all f32.
///
/// scale   S to K = (1 - E1) / (1 - cos FA E1), the signal in units of M0 sin FA
/// cos_FA  one a voxel
/// rate    1 / (TR r1);  offset  R10 / r1
/// poison  += 0 where the result is finite, NaN where it is not
using SpgrToConcentration = void (*)(const float* signal, const float* scale, const float* cos_FA, const float* offset,
                                     float rate, float* out, float* poison, std::size_t n);
/// The copy for the chosen instruction set.
SpgrToConcentration spgr_to_concentration();

/// The same for every frame of `n` voxels on a CUDA device: signal and out (frame, voxel), `exact` false for the
/// equation that is linear in the signal, scale * S - offset.
struct SpgrRun {
  std::size_t n, n_frames;
  const float *signal, *scale, *cos_FA, *offset;
  float rate;
  bool exact;
  float *out, *poison;
};
/// All pointers in the memory of `device`; returns when done. Errors   Errc::device with the runtime's words
void spgr_launch(const SpgrRun& run, int device);

}  // namespace larmor::dce
