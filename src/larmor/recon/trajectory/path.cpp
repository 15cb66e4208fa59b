// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/path.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

// Points of a path: so many along the radius at least, and a step of the angle no longer than this. The chord of a step
// is then 2e-5 shorter than its arc.
constexpr double least_points = 4096, most_angle = 0.02, most_winding = 1e5;
constexpr double most_rasters = 1e6;  // of one readout: 10 s at 10 us

double tangent_curvature(const Winding& w, double r) {
  const double a = r * w.rate(r), da = w.rate(r) + r * w.slope(r);
  return (w.rate(r) + da / (1 + a * a)) / std::sqrt(1 + a * a);
}

}  // namespace

Path spiral_path(const Winding& winding, double r_max) {
  const auto step = [&](double a, double b) {  // Simpson, of the angle and of the arc
    const double m = 0.5 * (a + b);
    const auto arc = [&](double r) { return std::sqrt(1 + std::pow(r * winding.rate(r), 2)); };
    return std::pair{(b - a) / 6 * (winding.rate(a) + 4 * winding.rate(m) + winding.rate(b)),
                     (b - a) / 6 * (arc(a) + 4 * arc(m) + arc(b))};
  };
  double angle = 0;
  for (int i = 0; i < 64; ++i) angle += step(r_max * i / 64, r_max * (i + 1) / 64).first;
  if (!(angle < most_winding))
    throw Error(Errc::range,
                fmt::format("trajectory: a spiral of {:.4g} turns out to {:.4g} cycles/m",
                            angle / (2 * std::numbers::pi), r_max),
                "ask for more arms, a coarser resolution or a smaller field of view");
  const auto n = static_cast<std::size_t>(std::max(least_points, std::ceil(2 * angle / most_angle)));
  Path path;
  for (auto* v : {&path.r, &path.theta, &path.psi, &path.s, &path.curvature}) v->reserve(n + 1);
  double theta = 0, s = 0;
  for (std::size_t i = 0; i <= n; ++i) {
    const double r = r_max * static_cast<double>(i) / static_cast<double>(n);
    if (i > 0) {
      const auto [dtheta, ds] = step(path.r.back(), r);
      theta += dtheta, s += ds;
    }
    path.r.push_back(r);
    path.theta.push_back(theta);
    path.psi.push_back(theta + std::atan(r * winding.rate(r)));
    path.s.push_back(s);
    path.curvature.push_back(tangent_curvature(winding, r));
  }
  return path;
}

Path straight_path(double r_max) {
  const auto none = [](double) { return 0.0; };
  return spiral_path({none, none}, r_max);
}

Motion fastest_motion(const Path& path, const GradientLimits& limits, const MotionOptions& options) {
  limits.check();
  const std::size_t n = path.size();
  const double most_v = options.max_speed > 0 ? std::min(options.max_speed, limits.max_speed()) : limits.max_speed();
  const double most_a = limits.max_acceleration(), turn = 2 * std::numbers::pi * limits.max_frequency;
  // The square of the speed: it grows linearly with the arc under a constant acceleration, also from rest.
  std::vector<double> cap(n), w(n);
  const char* lowest = "";
  for (std::size_t i = 0; i < n; ++i) {
    double v = most_v;
    const double bend = std::abs(path.curvature[i]);
    const auto at_most = [&](double limit, const char* name) {
      if (limit < v) v = limit, lowest = name;
    };
    lowest = options.max_speed > 0 && options.max_speed < limits.max_speed() ? "the sampling limit (dwell time)"
                                                                             : "the gradient limit";
    if (turn > 0 && bend > 0) at_most(turn / bend, "the gradient frequency limit");
    if (bend > 0) at_most(std::sqrt(most_a / bend), "the slew rate limit");
    if (!options.speed_cap.empty()) at_most(options.speed_cap[i], "the T2 to match");
    cap[i] = v * v;
  }
  const auto along = [&](double squared, double bend) {  // acceleration left along the path
    const double across = squared * bend;
    return std::sqrt(std::max(0.0, most_a * most_a - across * across));
  };
  const auto pass = [&](std::size_t from, std::size_t to) {
    const double ds = std::abs(path.s[to] - path.s[from]);
    const double first = along(w[from], path.curvature[from]);
    const double guess = std::min(cap[to], w[from] + 2 * ds * first);
    return w[from] + ds * (first + along(guess, path.curvature[to]));
  };
  w[0] = options.from_rest ? 0 : cap[0];
  for (std::size_t i = 1; i < n; ++i) w[i] = std::min(cap[i], pass(i - 1, i));
  for (std::size_t i = n - 1; i-- > 0;) w[i] = std::min(w[i], pass(i + 1, i));
  Motion motion{.v = std::vector<double>(n), .t = std::vector<double>(n), .limit = lowest};
  for (std::size_t i = 0; i < n; ++i) motion.v[i] = std::sqrt(w[i]);
  for (std::size_t i = 1; i < n; ++i) {
    const double sum = motion.v[i] + motion.v[i - 1];
    if (!(sum > 0))
      throw Error(Errc::range, fmt::format("trajectory: the limits stop the motion at {:.4g} cycles/m", path.r[i]),
                  "raise the slew rate limit or the gradient frequency limit");
    motion.t[i] = motion.t[i - 1] + 2 * (path.s[i] - path.s[i - 1]) / sum;
  }
  return motion;
}

std::size_t rasters_of(const Motion& motion, double raster) {
  if (!(motion.duration() <= most_rasters * raster))
    throw Error(
        Errc::range,
        fmt::format("trajectory: a readout takes {:.4g} s under {}, which is {:.0f} rasters of {:.4g} s; {:.0f} "
                    "are the most",
                    motion.duration(), motion.limit, std::ceil(motion.duration() / raster), raster, most_rasters),
        "ask for more arms or a coarser resolution, or raise the limit");
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::ceil(motion.duration() / raster * (1 - 1e-12))));
}

OnRaster on_raster(const Path& path, const Motion& motion, double raster, std::size_t rasters) {
  const std::size_t n = rasters > 0 ? rasters : rasters_of(motion, raster);
  const double stretch = motion.duration() / (static_cast<double>(n) * raster);
  OnRaster out;
  for (auto* v : {&out.r, &out.theta, &out.psi, &out.v, &out.dr}) v->reserve(n + 1);
  std::size_t at = 1;
  for (std::size_t i = 0; i <= n; ++i) {
    const double t = std::min(static_cast<double>(i) * raster * stretch, motion.duration());
    while (at + 1 < path.size() && motion.t[at] < t) ++at;
    const std::size_t b = at, a = at - 1;
    const double part = std::clamp((t - motion.t[a]) / (motion.t[b] - motion.t[a]), 0.0, 1.0);
    const double v = motion.v[a] + part * (motion.v[b] - motion.v[a]);
    // Under a constant acceleration the part of the arc is not the part of the time.
    const double arc = part * (motion.v[a] + v) / (motion.v[a] + motion.v[b]);
    const auto mix = [&](const std::vector<double>& x) { return x[a] + arc * (x[b] - x[a]); };
    out.r.push_back(mix(path.r));
    out.theta.push_back(mix(path.theta));
    out.psi.push_back(mix(path.psi));
    out.v.push_back(v * stretch);
    out.dr.push_back(out.v.back() * std::cos(out.psi.back() - out.theta.back()));
  }
  return out;
}

}  // namespace larmor::recon
