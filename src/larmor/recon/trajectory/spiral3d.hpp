// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/recon/trajectory/arms.hpp>
#include <larmor/recon/trajectory/spiral.hpp>

namespace larmor::recon {

/// Spirals on cones around one to three axes.
///
/// An arm lies on the cone at the elevation alpha above the plane of its hub: k = r (cos alpha cos theta, cos alpha sin
/// theta, sin alpha). Its turning follows Fermat's spiral, dtheta/dr = 4 pi r FOV^2 alpha0 / arms, so that the arms of
/// a hub fill each shell of radius r with 1 FOV^2 of length a volume. Elevations lie evenly between -alpha0 and alpha0;
/// each arm is turned by the golden angle against the one before. Source   Pipe et al., MRM 66:1303 (2011)
struct FloretProtocol {
  double fov = 0.24, resolution = 2e-3;  // [m]
  std::int64_t arms = 0;                 // of a hub; 0: as many as make a readout of `turns`
  double turns = 4;                      // around the axis, used when arms is 0
  int hubs = 3;
  double alpha0 = 0.78539816339744831;  // [rad], greatest elevation: 45 degrees
  double dwell = 5e-6;
  GradientLimits limits = {};
  bool rewound = true;  // moment 0 to zero after each arm
  /// Errors   Errc::range, naming what and the limit
  void check() const;
};
std::int64_t floret_arms(const FloretProtocol& protocol);  // of a hub
ArmWaveforms design_floret(const FloretProtocol& protocol);
/// FOV / resolution, rounded up to an even number.
std::int64_t cube_matrix(double fov, double resolution);

/// Spirals in planes across kz that lie closer than 1 / FOV_z, one arm in each, turned by the golden angle from plane
/// to plane. cylinder: all of one radius. sphere: the radius of a plane at z is that of the sphere, and the arms that a
/// plane would need go with its area, so that all arms take the same time: two thirds of the arms of the cylinder.
/// Source   Turley & Pipe, MRM 70:413 (2013)
struct DistributedProtocol {
  SpiralProtocol spiral = {};               // arms: of a fully sampled plane
  double fov_z = 0.1, resolution_z = 2e-3;  // [m]
  bool sphere = false;
};
std::int64_t distributed_arms(const DistributedProtocol& protocol);
ArmWaveforms design_distributed(const DistributedProtocol& protocol, const Cancel* cancel = nullptr);

}  // namespace larmor::recon
