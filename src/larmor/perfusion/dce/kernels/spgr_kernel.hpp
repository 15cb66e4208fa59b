// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace larmor::dce {

/// Concentration of `n` neighbouring voxels in some frames from their signals, all f32.
struct SpgrBlock {
  std::size_t n, n_frames;
  const float* signal;        // of the first voxel in the first frame
  std::size_t signal_stride;  // from frame to frame
  float* out;
  std::size_t out_stride;
  const float* scale;   // S to K = (1 - E1) / (1 - cos FA E1), the signal in units of M0 sin FA; one a voxel
  const float* cos_FA;  // one a voxel
  const float* offset;  // R10 / r1
  float rate;           // 1 / (TR r1)
  bool exact;           // false: the equation that is linear in the signal, scale * S - offset
  float* poison;        // += 0 where every result is finite, NaN where one is not
};
using SpgrToConcentration = void (*)(const SpgrBlock&);
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
