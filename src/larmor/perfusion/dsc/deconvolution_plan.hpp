// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/dsc/curve_area.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>
#include <larmor/perfusion/dsc/kernels/deconvolution_kernel.hpp>
#include <larmor/perfusion/dsc/peak_table.hpp>

namespace larmor::dsc {

/// What noise of sd 1 in the frames does to a sample of the residue.
struct NoiseOfPeak {
  float variance, with_area, of_offset;  // covariance with the area; change by an offset of 1 of all frames
  float slope_variance;                  // of half the difference of its neighbours
};

/// Everything of a regularised deconvolution that does not depend on the voxel.
struct DeconvolutionPlan {
  Basis basis;
  Filters filters;
  PeakTable table;
  DeconvolutionRun run{};
  std::vector<float> weight2, left, norm, slope, freedom;  // Tikhonov
  std::vector<float> area_weight, moment_weight;
  std::vector<double> lambda;
  std::vector<NoiseOfPeak> noise;  // (choice, residue sample)
  std::vector<double> rest;        // (choice) degrees of freedom left
  std::vector<int> choice_of;      // truncations: modes kept -> choice
  double aif_area = 0, aif_moment = 0;
  double area_variance = 0, area_offset = 0;  // of CBV: by noise of sd 1; by an offset of 1
  double offset_variance = 0;                 // 1 / baseline frames

  int choice(float told) const {
    const auto k = static_cast<std::size_t>(told);
    return choice_of.empty() ? static_cast<int>(k) : choice_of[k];
  }
};
/// Errors   Errc::range (threshold, oscillation index), those of decompose
DeconvolutionPlan plan_for(const DeconvolutionMethod& method, std::span<const double> aif, double step,
                           const CurveArea& area, const DeconvolutionOptions& options);
/// Points the run at the arrays of the plan.
void point_at(DeconvolutionRun& run, const DeconvolutionPlan& plan);

}  // namespace larmor::dsc
