// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/data/trajectory.hpp>
#include <larmor/sim/phantom.hpp>
#include <span>

namespace larmor::sim {

/// Receive sensitivities that are sums of nine plane waves, so that what they see of an object made of ellipses has an
/// exact k-space: a sum of shifted transforms. Nothing is sampled on a grid, and a reconstruction from such data
/// commits no inverse crime.
///
///   s_c(r) = exp(i phi_c) prod over x, y of (1 + cos(2 pi u (r - p_c))) / 2
///
/// with coil c of n on a circle, p_c = distance (cos phi_c, sin phi_c), phi_c = 2 pi c / n.
struct HarmonicCoils {
  int n_coils = 8;
  double distance = 0.5;  // from the middle [FOV]
  double u = 0.6;         // [cycles/FOV]: the profile falls to 0 at 1 / (2 u)
};

/// At the voxels of an image: c64 (x, y[, z], coil); alike along z.
/// Errors   Errc::shape unless 2 or 3 extents; Errc::range unless 1 to 256 coils, distance >= 0 and 0 < u <= 4
Array harmonic_sensitivities(const HarmonicCoils& coils, const Shape& shape);

/// What the coils measure of the object along a trajectory: c64 (sample axes, coil). The field of view of the object,
/// [-1, 1), is that of the trajectory. Scaled by the root of the number of voxels of traj.matrix, so that it is the
/// unitary transform of an image whose voxels hold the object's intensities.
/// Errors   those of Trajectory::check and harmonic_sensitivities; Errc::shape without a matrix
Array harmonic_samples(std::span<const Ellipsoid> object, const HarmonicCoils& coils, const Trajectory& traj,
                       const Cancel* cancel = nullptr);

}  // namespace larmor::sim
