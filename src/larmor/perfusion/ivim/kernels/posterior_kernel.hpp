// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the kernels of the grid posterior.
#include <stdint.h>

namespace larmor::ivim {

inline constexpr int posterior_tile = 256;
inline constexpr int posterior_stride = posterior_tile + 16;
inline constexpr int max_D_nodes = 64, max_D_star_nodes = 64;

// The table of MagnitudeMoments: variances at moments_cells + 1 signals from 0 to moments_top noise sds.
inline constexpr double moments_top = 12.0;
inline constexpr int moments_cells = 4096;  // linear: an eighth of the curvature (< 0.5) times the cell squared is 5e-7

// The table of cut_below(): rows of 8 numbers at places cut_step apart, 0 among them.
inline constexpr double cut_first = -4.25, cut_step = 1.0 / 32;
inline constexpr int cut_places = 1345;  // up to 37.75: what is left of a Gaussian there is the smallest double

/// One piece of work: n voxels, a multiple of 8 on the CPU and up to posterior_tile. Fields of voxels are (stride)
/// each.
struct PosteriorRun {
  int64_t n, stride;
  int n_samples, n_D, n_D_star;
  const double* b;  // (n_samples) [s/mm2]
  const double* y;  // (n_samples, stride) signal
  double noise_sd;
  const double* moments;                   // (moments_cells + 1) noise is that of magnitudes; null: Gaussian
  const double* cut;                       // (cut_places, 8) shares and means of cut Gaussians
  const double* counts;                    // (n_samples) volumes averaged; null: 1
  const double* guide[4];                  // S0, f, D, D_star of a fit; NaN: unknown
  const double* sigma;                     // noise that the posterior is asked for: noise_sd, or more
  const double *D_low, *D_high;            // the box that the nodes fill
  const double *D_star_low, *D_star_high;  // logarithms when log_D_star
  double f_low, f_high;                    // prior of f: even between
  bool log_D_star;                         // prior of D_star: even in its logarithm, else in D_star
  bool S0_known;
  const double* S0;  // the known one
  double* mean[4];   // S0, f, D, D_star
  double* sd[4];
  double* edge[4];  // share of the posterior in the outermost nodes: D low and high, D_star low and high
  double* work;     // posterior_room doubles a lane: 64-byte aligned packs of 8 on the CPU, (room, n) in CUDA
};

/// Numbers of room that one voxel needs.
inline constexpr int64_t posterior_room(int n_samples, int n_D_star) {
  return static_cast<int64_t>(n_D_star) * (n_samples + 9) + 5 * static_cast<int64_t>(n_samples);
}

/// The copy for the instruction set in use.
void (*posterior_kernel())(const PosteriorRun&);
/// One number a lane, voxel after voxel, as CUDA does it; all pointers in the memory of the CPU, the number unused.
void posterior_emulated(const PosteriorRun& run, int);
/// All pointers in the memory of CUDA device `device`; only in programs with CUDA.
void posterior_launch(const PosteriorRun& run, int device);

}  // namespace larmor::ivim
