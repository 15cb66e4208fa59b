// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/cancel.hpp>
#include <larmor/recon/trajectory/limits.hpp>
#include <string>
#include <vector>

namespace larmor::recon {

/// How a spiral winds: dtheta/dr at radius r [rad m], and its derivative [rad m2].
struct Winding {
  std::function<double(double r)> rate, slope;
};

/// A plane curve from the centre outwards, at points that lie close enough to be joined linearly.
///
/// r [1/m], polar angle theta and direction psi of the tangent [rad], arc length s [1/m], curvature dpsi/ds [m]
struct Path {
  std::vector<double> r, theta, psi, s, curvature;
  std::size_t size() const { return r.size(); }
};
/// Errors   Errc::range, naming the limit, when it winds more than 100 000 rad
Path spiral_path(const Winding& winding, double r_max);

/// The same, straight outwards.
Path straight_path(double r_max);

/// Speed along a path against time.
struct Motion {
  std::vector<double> v, t;  // ds/dt [1/m/s] and time [s] at the points of the path
  std::string limit;         // what keeps it from being faster at the end
  double duration() const { return t.back(); }
};
struct MotionOptions {
  bool from_rest = true;            // else as fast as the limits allow at the centre
  double max_speed = 0;             // [1/m/s]; 0: that of the gradient limit
  std::vector<double> speed_cap{};  // further limit at each point [1/m/s]; empty: none
};
/// The fastest motion: at every point the longest step that the gradient limit, the slew rate limit (of the vector:
/// along the path and across it) and the limit on the rate of turning allow; a second pass from the end slows down in
/// time where what comes is slower. Source   Pipe & Zwart, MRM 71:278 (2014)
Motion fastest_motion(const Path& path, const GradientLimits& limits, const MotionOptions& options = {});

/// Where the motion is at each raster point: stretched in time by less than one raster, so that it ends on a point.
struct OnRaster {
  std::vector<double> r, theta, psi, v, dr;  // v and dr/dt [1/m/s]
};
/// `rasters` 0: as few as do; else that many, slowed down to it. Errors   Errc::range for more than a million, naming
/// the limit
OnRaster on_raster(const Path& path, const Motion& motion, double raster, std::size_t rasters = 0);
std::size_t rasters_of(const Motion& motion, double raster);

}  // namespace larmor::recon
