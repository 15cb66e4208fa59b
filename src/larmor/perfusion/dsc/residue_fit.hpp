// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

/// Areas and first moments of curves as weighted sums of their samples, from one frame before `arrival` on.
struct CurveArea {
  std::vector<double> weight, since;    // [s]; time since the arrival [s]
  double aif_area = 0, aif_moment = 0;  // of the input
};
/// Errors   Errc::numeric when the area of the input is not above 0
CurveArea curve_area(std::span<const double> times, std::span<const double> aif, double arrival, Rule rule);

/// Least-squares fit of flow, transit time, delay and (gamma) shape in every voxel: the best of a table of curves, then
/// steps along their tangents, from table to table point, the last one to between them. Standard errors come from the
/// tangents there.
/// Errors   those of the table's curves
void fit_residues(const ResidueModel& model, const dce::VoxelRows& rows, std::span<const std::int64_t> voxels,
                  std::span<const double> times, std::span<const double> aif, double step, double arrival,
                  const CurveArea& area, const DeconvolutionOptions& options, Deconvolved& out,
                  const Progress& progress, const Cancel* cancel);

}  // namespace larmor::dsc
