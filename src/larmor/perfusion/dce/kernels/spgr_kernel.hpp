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

}  // namespace larmor::dce
