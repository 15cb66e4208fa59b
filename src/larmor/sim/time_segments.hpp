// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <complex>
#include <larmor/sim/synthesis.hpp>
#include <vector>

namespace larmor::sim {

/// exp(-z(r) t), z = 1 / T2_star + 2 pi i df, as a sum over few times that do not depend on the voxel:
///
///   exp(-z t) ~ sum_l weight_l(t) exp(-z t_l),
///
/// with the weights of least squares over the object's own values of z. One Fourier transform a segment then replaces
/// the sum over voxels. Source   Sutton et al., IEEE Trans. Med. Imaging 22:178 (2003)
struct TimeSegments {
  std::vector<double> times;                  // t_l [s]
  std::vector<std::complex<double>> weights;  // (sample time, segment), first fastest
  double error = 0;                           // largest over the object's values and the times
};
/// The fewest segments of an error of at most `tolerance`; one segment when there is neither df nor T2_star.
/// Errors   Errc::range when 256 segments do not do; those of voxel_signal on maps and times
TimeSegments time_segments(const VoxelObject& object, const Trajectory& traj, double tolerance);

/// density exp(-z t) coils, c64 (x, y[, z][, coil]), times matrix / grid of each axis: what a transform without scaling
/// takes to the signal at time t. Shape without the last axis of one voxel that a flat image has.
Array object_at(const VoxelObject& object, const Trajectory& traj, double t);

}  // namespace larmor::sim
