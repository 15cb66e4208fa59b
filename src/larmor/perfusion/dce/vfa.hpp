// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/kernels/vfa_kernel.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>

namespace larmor::dce {

/// Variable-flip-angle maps of a whole volume by one of the kernels.
/// Errors   Errc::shape, Errc::range: angles, TRs or volumes that do not fit the method
T1Result vfa_map(VfaFit fit, const Array& signal, const T1Protocol& protocol, std::span<const float> B1,
                 std::span<const std::uint8_t> mask, const Progress& progress, const Cancel* cancel);

/// All fields for `n` voxels: NaN, outside the mask.
T1Result empty_t1_result(std::size_t n);
/// Errors   Errc::shape, naming the method and both counts
void require_volumes(const VoxelRows& rows, std::span<const double> values, const std::string& what, int least);

}  // namespace larmor::dce
