// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/trajectory.hpp>
#include <larmor/sim/phantom.hpp>
#include <span>

namespace larmor::sim {

/// k-space of ellipsoids at the samples of any trajectory, c64 with its sample axes, exact but for f32 (2e-7 of the
/// largest): in units of the sum over the voxels of the trajectory's matrix, so that density-compensated reconstruction
/// gives the intensities. Errors   those of Trajectory::check and raster
/// Source   as kspace() of sim/phantom.hpp; J1: series below 12, Hankel's expansion above
Array ellipsoid_signal(std::span<const Ellipsoid> object, const Trajectory& traj, const Cancel* cancel = nullptr);

/// Maps of an object over the whole field of view of a trajectory, on a grid of their own: voxel i of n at
/// (i - floor(n / 2)) / n FOV.
struct VoxelObject {
  Array density;       // real or complex (x, y[, z])
  Array df = {};       // [Hz], real, or empty
  Array T2_star = {};  // [s], real, or empty: no decay
  Array coils = {};    // complex (x, y[, z], coil), or empty
  double TE = 0;       // [s] of the first sample of an arm, added to the trajectory's times
};

/// The sum over voxels as it is defined,
///
///   S(k, t) = sum_r c(r) rho(r) exp(-t / T2_star(r) - 2 pi i (k x + df(r) t)),
///
/// times matrix / grid of each axis, so that a finer grid gives the same signal. c64: sample axes, then coil when there
/// are coils. Work: voxels x samples, 0.2 to 1 G/s a core; phases within 3e-5 rad.
/// Errors   Errc::shape, Errc::range: df or T2_star without times in the trajectory, T2_star <= 0 in a voxel that has
/// density
Array voxel_signal(const VoxelObject& object, const Trajectory& traj, const Cancel* cancel = nullptr,
                   const Progress& progress = {});

}  // namespace larmor::sim
