// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the fit of residues (CPU objects of every instruction set, CUDA).
#include <larmor/fit/curve_types.hpp>

namespace larmor::dsc {

inline constexpr int max_residue_params = 4;  // flow, transit time, delay, shape
/// Most coordinates of a curve: beyond, what is left of the table's curves is far below any noise.
inline constexpr int max_residue_rank = 128;

/// Tissue curves of flow 1 over a grid of transit times (even in the logarithm), delays and shapes, as coordinates in
/// a subspace that holds all of them.
struct ResidueTable {
  int n_params;   // 3, or 4 with a shape
  int rank;       // coordinates of a curve, a multiple of 16
  int scan_rank;  // the first of them, which are enough to choose a place to begin
  int n[3];       // transit times, delays, shapes
  double first_log_MTT, log_step, earliest, delay_step;
  const double* shapes;   // (n[2])
  const float* curves;    // (n[2], n[1], n[0], rank)
  const double* inverse;  // (node, 10) inverse of the products of a curve and its tangents, lower triangle by rows; its
                          // first number is 0 where they are not independent
  const double* norm2;    // (node) squared norm of the curve
  const float* ones;      // (rank) of a curve that is 1 in every frame
  fit::Candidates coarse;  // some of the curves, of unit norm, in scan_rank coordinates
  const int* coarse_node;  // (coarse.n) their nodes
};

struct ResidueRun {
  ResidueTable table;
  int n;           // voxels; the arrays have room for whole packs beyond
  int64_t stride;  // leading dimension of y and of what is written
  int n_data;
  const float* y;                            // (n_data, stride) tissue curves
  const float* basis;                        // (rank, n_data) orthonormal
  const float *area_weight, *moment_weight;  // (n_data) area and first moment are weighted sums of y
  double offset_variance;                    // 1 / frames of the baseline, 0: it is exact

  float *area, *moment, *peak_at;  // (stride) of the tissue curve
  float *flow, *MTT, *delay, *shape, *flow_se, *MTT_se, *CBV_se, *residual_sd;
  float* status;  // fit::FitStatus
};

using ResidueKernel = void (*)(const ResidueRun&);
/// The copy for the instruction set in use.
ResidueKernel residue_kernel();
ResidueKernel residue_kernel_scalar();
/// Pointers of `run` in the memory of CUDA device `device`.
void residue_launch(const ResidueRun& run, int device);

}  // namespace larmor::dsc
