// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/device.hpp>
#include <larmor/perfusion/dce/kernels/spgr_kernel.hpp>
#include <larmor/perfusion/dce/kernels/vfa_kernel.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>

namespace larmor::dce {

/// vfa_run on a CUDA device: the run is in host memory, is copied there, and the results back.
/// Errors   Errc::device
void vfa_run_on_cuda(Device device, VfaFit fit, const VfaRun& run);

/// spgr_launch for the voxels [first, first + run.n) of a series in host memory, as are the arrays of `run`: `signal`
/// is not used, `out` is the first of these voxels in a series as large as `rows`. Errors   Errc::device
void spgr_on_cuda(Device device, const VoxelRows& rows, std::size_t first, const SpgrRun& run);

/// Voxels to send at once so that a series of `n_frames` f32 in and as many out keep below 512 MB.
inline std::size_t cuda_piece(std::size_t n_frames) { return ((512u << 20) / (8 * (n_frames + 8)) + 8) / 8 * 8; }

}  // namespace larmor::dce
