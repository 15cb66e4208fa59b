// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the kernels of training networks of voxels (CPU objects of every instruction set,
// CUDA): where a batch comes from, and its loss.
#include <stddef.h>
#include <stdint.h>

namespace larmor::ivim {

/// Samples for a posterior network, simulated with new noise or taken from a patient's voxels. What a sample is depends
/// on its number alone, not on who makes it.
struct SampleRun {
  int n_b;
  // Simulations: clean signals (pool, b) and parameters f, D, D_star (pool, 3).
  const float *clean, *truth;
  size_t pool;
  const float* normal;  // (normal_table) standard normal numbers, read from random places
  int count0;           // volumes averaged at b = 0; 0: S0 is known
  const int* counts;    // (b) and at each b
  double noise_low, noise_log_range;
  // A patient's voxels (b, voxel), (voxel), with mean and sd of their posteriors; n_voxels 0: none.
  const float *ratios, *voxel_noise, *mean[3], *sd[3];
  size_t n_voxels;
  double share;  // of the samples that are voxels
  // Inputs are (x - in_mean) in_inverse (b + 1); null: as they are. Targets: (value - target_mean) / target_sd.
  const float *in_mean, *in_inverse;
  double target_mean[3], target_sd[3];
  float middle;  // noise of weight 1
  uint64_t seed;
  // Written, rows `stride` apart: inputs (b + 1, sample), targets and their variances (3, sample), weight (sample).
  float *in, *wanted, *variance, *weight;
  size_t stride;
};
inline constexpr size_t normal_table = 1 << 20;

/// Loss of a posterior network: outputs (6, sample) are means and logarithms of sds of f, D, D_star.
struct PosteriorLossRun {
  const float *out, *wanted, *variance, *weight;  // variance: null for 0
  float* grad;                                    // (6, sample) of the mean over `batch` samples; null: not wanted
  float scale[3];
  size_t stride, n, batch;
};
/// Sums over samples: squared errors times their weights, and minus the logarithm of the likelihood.
struct PosteriorLossSums {
  double squares[3], likelihood[3];
};

/// Misfit of signals for four networks of one output each, the sigmoids of D_star, D, f and S0.
struct OptimLossRun {
  const float *b, *signal;  // (b), (b, sample)
  int n_b;
  const float* out[4];
  float* grad[4];  // of the mean over n samples and b-values; null: not wanted
  float low[4], width[4];
  size_t stride, n;
};

/// What a step of training needs besides the network (nn::MlpLaunches), on a device, or thread after thread on the CPU
/// for tests. Pointers are to where the work runs.
struct TrainingLaunches {
  /// Columns 0 to n - 1 become samples number first, first + 1, ...
  void (*take)(const SampleRun&, uint64_t first, size_t n, int device);
  void (*posterior_loss)(const PosteriorLossRun&, int device);
  /// Adds the mean over b-values of sample s to sums[s].
  void (*optim_loss)(const OptimLossRun&, double* sums, int device);
};
TrainingLaunches training_emulated();
TrainingLaunches training_cuda();  // only in programs with CUDA

/// The same on lanes, by the copy for the instruction set in use.
struct TrainingKernels {
  void (*take)(const SampleRun&, uint64_t first, size_t n);
  void (*posterior_loss)(const PosteriorLossRun&, PosteriorLossSums&);  // added to the sums
  double (*optim_loss)(const OptimLossRun&);                            // sum over samples of the mean over b-values
};
TrainingKernels training_kernels();

}  // namespace larmor::ivim
