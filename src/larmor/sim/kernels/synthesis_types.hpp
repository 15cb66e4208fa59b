// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

namespace larmor::sim {

/// An ellipsoid as its transform needs it: K = |(a . k, b . k, c . k)|, lengths in the field of view.
struct EllipsoidRow {
  double a[3], b[3], c[3];  // semi-axes, turned
  double centre[3];
  double size;  // intensity x area or volume
};
struct EllipsoidRun {
  const EllipsoidRow* rows;
  int n_rows, dims;
  const double* k[3];  // (sample), padded to 16
  float *re, *im;
};
using EllipsoidKernel = void (*)(const EllipsoidRun* run, size_t first, size_t count);

struct VoxelRow {
  float x, y, z, df;  // [FOV], [Hz]
  float rate;         // [1/s]
};
struct VoxelRun {
  const VoxelRow* voxels;
  const float *weight_re, *weight_im;  // (coil, voxel): coils of a voxel together
  size_t n_voxels;
  int n_coils;
  const float *kx, *ky, *kz, *t;  // (sample), padded to 16
  float *re, *im;                 // (sample, coil), stride n_samples
  size_t n_samples;
};
/// Samples [first, first + count), multiples of 16.
using VoxelKernel = void (*)(const VoxelRun* run, size_t first, size_t count);
inline constexpr int voxel_coils_at_once = 8;

}  // namespace larmor::sim
