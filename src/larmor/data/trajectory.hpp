// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/array.hpp>
#include <string>
#include <vector>

namespace larmor {

/// Where k-space was sampled.
///
/// k        f32 or f64 (sample, [arm, ...], d) [cycles/FOV]; d, the last axis, holds 2 or 3 coordinates kx, ky(, kz).
///          An image of n voxels over the field of view holds -n/2 <= k < n/2.
/// matrix   nominal image size along x, y(, z), one a coordinate
/// fov      field of view along x, y(, z) [mm], one a coordinate; empty when not known
/// times    when each sample of an arm was taken, from the excitation [s], one an extent of axis "sample"; or empty
///
/// Data that belong to it have the axes of k without d, then others ("coil", "slice", ...), in this order.
/// Image x of voxel i of n lies at (i - floor(n / 2)) / n FOV, so the phase of a sample is exp(-2 pi i k x).
struct Trajectory {
  Array k;
  std::vector<std::int64_t> matrix = {};
  std::vector<double> fov = {};
  std::vector<double> times = {};
  std::string source = {};

  int dimensions() const { return k.rank() == 0 ? 0 : static_cast<int>(k.extent(k.rank() - 1)); }
  /// Samples in all.
  std::int64_t size() const {
    const int d = dimensions();
    return d == 0 ? 0 : k.size() / d;
  }
  /// Axes and shape that one coil and slice of data has: those of k without the last.
  Axes sample_axes() const;
  Shape sample_shape() const;
  /// Errors   Errc::type unless f32 or f64, Errc::shape (d, counts of matrix, fov, times), Errc::range for a coordinate
  /// that is not finite (its index) or outside +-matrix/2 by more than rounding, a matrix under 1, a fov <= 0
  void check() const;
};

/// Errors   Errc::shape, with both shapes, unless the first axes of `data` are those of the trajectory's samples
void require_same_samples(const Trajectory& traj, const Array& data, const std::string& name);

}  // namespace larmor
