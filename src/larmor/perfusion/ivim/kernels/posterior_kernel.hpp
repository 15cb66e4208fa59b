// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the kernels of the grid posterior.
#include <stdint.h>

namespace larmor::ivim {

inline constexpr int posterior_tile = 256;
inline constexpr int posterior_stride = posterior_tile + 16;
inline constexpr int max_D_nodes = 64, max_D_star_nodes = 64;

/// One piece of work: up to posterior_tile voxels, n a multiple of 8. Fields of voxels are (stride) each.
struct PosteriorRun {
  int n, stride, n_samples, n_D, n_D_star;
  const double* b;       // (n_samples) [s/mm2]
  const double* y;       // (n_samples, stride) signal, corrected for the mean of its noise
  const double* weight;  // (n_samples, stride) 1 / variance, in units of 1 / sigma^2
  const double* sigma;
  const double *D_low, *D_high;            // the box that the nodes fill
  const double *D_star_low, *D_star_high;  // logarithms when log_D_star
  double f_low, f_high;                    // prior of f: even between
  bool log_D_star;                         // prior of D_star: even in its logarithm, else in D_star
  bool S0_known;
  const double* S0;  // the known one
  double* mean[4];   // S0, f, D, D_star
  double* sd[4];
  double* edge[4];  // share of the posterior in the outermost nodes: D low and high, D_star low and high
  double* work;     // 64-byte aligned: ((n_D + n_D_star) * (n_samples + 2) + 6 n_D_star) * 8 doubles
};

using PosteriorKernel = void (*)(const PosteriorRun&);
/// The copy for the instruction set in use.
PosteriorKernel posterior_kernel();
/// One number a lane, for comparison.
PosteriorKernel posterior_kernel_scalar();

}  // namespace larmor::ivim
