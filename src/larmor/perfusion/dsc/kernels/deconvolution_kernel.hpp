// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the deconvolution kernel (CPU objects of every instruction set, CUDA).
#include <stdint.h>

namespace larmor::dsc {

inline constexpr int deconvolution_tile = 512;
/// Leading dimension of a tile: not a power of two, or the samples of one voxel would share a few cache sets.
inline constexpr int deconvolution_stride = deconvolution_tile + 16;

/// How the small singular values are kept from amplifying noise.
enum class Regulariser : int {
  truncation,   // modes from n_kept on are left out
  oscillation,  // the same, as many modes as keep the residue's oscillation index at or below `target`
  l_curve,      // Tikhonov, corner of the L-curve
  gcv,          // Tikhonov, generalised cross-validation
};

struct DeconvolutionRun {
  int n;                           // voxels; the arrays have room for whole packs beyond
  int64_t stride;                  // leading dimension of y and of what is written
  int n_data, n_residue, n_modes;  // samples of a curve, of a residue; singular values
  const float* y;                  // (n_data, stride) tissue curves
  const float* U;                  // (n_modes, n_data) left singular vectors
  const float* V;                  // (n_modes, n_residue) right ones
  const float* s;                  // (n_modes) singular values, falling
  Regulariser how;                 //
  int n_kept;                      // truncation
  float target;                    // oscillation
  int n_steps;                     // oscillation: modes up to step_end[j] enter together (equal singular values)
  const int* step_end;             // (n_steps)
  bool circular;                   // the residue's ends meet
  int n_weights;                   // Tikhonov: candidates
  const float* weight2;            // (n_weights) lambda^2
  const float* left;               // (n_weights, n_modes) (1 - f)^2, f = s^2 / (s^2 + lambda^2)
  const float* norm;               // (n_weights, n_modes) f^2 / s^2
  const float* slope;              // (n_weights, n_modes) (1 - f) f^2 / s^2
  const float* freedom;            // (n_weights) sum of 1 - f
  int n_search;                    // the peak is looked for in the first n_search samples of the residue
  const float *area_weight, *moment_weight;  // (n_data) area and first moment are weighted sums of y

  float *area, *moment, *curve_peak, *curve_peak_at;  // (stride) of the tissue curve
  float *peak, *peak_at;                              // (stride) of the residue; index with its fraction (parabola)
  float* choice;                                      // (stride) modes kept, or index of the weight
  float* rss;                                         // (stride) squared residual
  float* residue;                                     // (n_residue, stride), or null
};

using DeconvolutionKernel = void (*)(const DeconvolutionRun&, float* work);
/// The copy for the instruction set in use. `work`: (n_modes + n_residue) 16 floats, 64-byte aligned.
DeconvolutionKernel deconvolution_kernel();
/// The threads of CUDA one after another. `work` as they have it: (n_modes + n_residue) stride floats.
DeconvolutionKernel deconvolution_kernel_scalar();
/// Pointers of `run` in the memory of CUDA device `device`; work (n_modes + n_residue) stride floats there.
void deconvolution_launch(const DeconvolutionRun& run, float* work, int device);

}  // namespace larmor::dsc
