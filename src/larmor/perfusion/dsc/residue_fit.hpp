// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <larmor/perfusion/dsc/curve_area.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

/// Least-squares fit of flow, transit time, delay and (gamma) shape in every voxel: the best of a table of curves, then
/// steps along their tangents, from table to table point, the last one to between them. Standard errors come from the
/// tangents there.
///
/// device   where the voxels are fitted; `options.device` is not looked at
/// Errors   those of the table's curves, Errc::device
void fit_residues(const ResidueModel& model, const dce::VoxelRows& rows, std::span<const std::int64_t> voxels,
                  std::span<const double> times, std::span<const double> aif, double step, double arrival,
                  const CurveArea& area, const DeconvolutionOptions& options, Device device, Deconvolved& out,
                  const Progress& progress, const Cancel* cancel);

}  // namespace larmor::dsc
