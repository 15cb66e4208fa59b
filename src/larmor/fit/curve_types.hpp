// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the curve-fitting kernels (CPU objects of every instruction set, CUDA).
#include <stdint.h>

#include <larmor/fit/lm.hpp>

namespace larmor::fit {

inline constexpr int max_covariates = 4;

/// Curves that a fit may start from: one set of parameters each. With `scaled`, the curves have unit norm (weights
/// included) and the amplitude that fits best is the scale parameter; otherwise a curve is taken as it is.
struct Candidates {
  int n;
  const float* curves;   // blocks of 8 curves: [block][n_samples][8], times the squared root weights
  const float* norm;     // (n) scaled: by what an amplitude is divided; else half the squared norm of the curve
  const double* params;  // (n, n_params)
  int scale;             // index of the scale parameter, -1: none
  unsigned scale_too;    // a bit a parameter: amplitudes that go with it
  bool nonnegative;      // amplitudes below 0 are no candidates
  // A signal that is a sum of two curves with parameters of their own: every pair of the curves above with these, both
  // amplitudes solved for, at least 0.
  int n_second;                // 0: no such signal; at most max_second_curves
  const float* second_curves;  // (n_second, n_samples) as above
  const float* second_norm;
  const double* second_params;  // (n_second, n_params)
  const float* overlap;         // (n, n_second) inner products of unit curves
  int second_scale;
  unsigned second_of;  // a bit a parameter that belongs to the second curve
};
inline constexpr int max_second_curves = 32;

/// One piece of work: up to curve_tile voxels.
inline constexpr int curve_tile = 512;
/// Leading dimension of tile arrays: not a power of two, or the samples of one voxel would share a few cache sets.
inline constexpr int curve_stride = curve_tile + 16;
struct CurveTile {
  const LmOptions* options;
  const double* design;  // (n_samples, n_design of the model): b, or times, ...
  int n_samples;
  const double* root_weight;  // (n_samples) 1 / sd up to a factor, or null
  const Candidates* candidates;
  const float* y;                          // (n_samples, stride)
  const float* covariate[max_covariates];  // (stride) each: what is known of a voxel
  int stride;                              // leading dimension of y, values and errors
  int n;
  float* values;  // (n_params, stride)
  float* errors;
  float* residual_sd;   // (stride) sqrt(SSE / (n_samples - free parameters))
  float* R2;            // (stride)
  float* AICc;          // (stride)
  uint8_t* status;      // (n) FitStatus
  uint8_t* iterations;  // (n)
  double* frames;       // work: n_samples * 8 doubles, 64-byte aligned
};

using FitCurves = void (*)(const CurveTile&);
/// Signal (n_samples) and Jacobian (n_samples x n_params, row-major) at one set of parameters; either may be null.
using SignalAt = void (*)(const double* design, int n_samples, const double* covariates, const double* params,
                          double* signal, double* jacobian);

/// A model compiled for one instruction set.
struct CurveKernels {
  FitCurves fit;
  FitCurves fit_scalar;   // one number a lane; null but in the baseline object
  FitCurves fit_threads;  // the function of a CUDA thread, voxel by voxel; the same
  SignalAt signal;        // the same
};

}  // namespace larmor::fit
