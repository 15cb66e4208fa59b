// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/trajectory/arms.hpp>
#include <larmor/recon/trajectory/spiral3d.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

constexpr double pi = std::numbers::pi;

void need(bool fine, const std::string& what, const std::string& advice) {
  if (!fine) throw Error(Errc::range, "trajectory: " + what, advice);
}

/// Gradient of a plane motion with dr/dt in z, for maps that lay it on a cone.
Waveform cone_waveform(const OnRaster& m, const GradientLimits& limits) {
  Waveform w{.raster = limits.raster, .gamma = limits.gamma};
  for (std::size_t i = 0; i < m.v.size(); ++i) {
    const double size = m.v[i] / limits.gamma;
    w.g.push_back({size * std::cos(m.psi[i]), size * std::sin(m.psi[i]), m.dr[i] / limits.gamma});
  }
  return w;
}

Matrix3 cone_map(double alpha) {
  return {Vec3{std::cos(alpha), 0, 0}, Vec3{0, std::cos(alpha), 0}, Vec3{0, 0, std::sin(alpha)}};
}

/// The greatest slew rate over the cones up to alpha0, over its limit. In z the radial acceleration stands alone, and
/// may be more than what the plane motion keeps of it beside the centripetal one.
double worst_slew(const Waveform& w, double alpha0, double limit) {
  double worst = 0;
  for (const double alpha : {0.0, 0.25 * alpha0, 0.5 * alpha0, 0.75 * alpha0, alpha0}) {
    Waveform turned = w;
    for (auto& g : turned.g) g = cone_map(alpha) * g;
    worst = std::max(worst, turned.max_slew());
  }
  return worst / limit;
}

}  // namespace

std::int64_t cube_matrix(double fov, double resolution) {
  return 2 * static_cast<std::int64_t>(std::ceil(fov / resolution / 2 * (1 - 1e-12)));
}

void FloretProtocol::check() const {
  limits.check();
  for (const auto& [name, v] : {std::pair{"field of view", fov}, {"resolution", resolution}, {"dwell time", dwell}})
    need(v > 0 && std::isfinite(v), fmt::format("a {} of {:.6g}", name, v), "give more than 0");
  need(resolution <= fov / 2, fmt::format("a resolution of {:.6g} m in a field of view of {:.6g} m", resolution, fov),
       "give a field of view of two voxels or more");
  need(hubs >= 1 && hubs <= 3, fmt::format("{} hubs", hubs), "give 1, 2 or 3");
  need(alpha0 > 0 && alpha0 <= pi / 2, fmt::format("an elevation of {:.4g} rad", alpha0),
       "give more than 0, up to pi / 2");
  need(arms >= 0 && arms <= 10'000'000, fmt::format("{} arms", arms), "give 1 to 10000000, or 0 to choose");
  need(turns > 0 && turns <= 1000, fmt::format("{} turns", turns), "give more than 0, up to 1000");
  need(1 / (limits.gamma * fov * dwell) > limits.max_slew * limits.raster,
       fmt::format(
           "the sampling limit: a dwell time of {:.4g} us samples a field of view of {:.4g} m only under {:.4g} mT/m",
           1e6 * dwell, fov, 1e3 / (limits.gamma * fov * dwell)),
       "shorten the dwell time");
}

std::int64_t floret_arms(const FloretProtocol& p) {
  if (p.arms > 0) return p.arms;
  // theta at the edge is 2 pi r^2 FOV^2 alpha0 / arms.
  const double edge = 0.5 * p.fov / p.resolution;
  return std::max<std::int64_t>(1, std::llround(edge * edge * p.alpha0 / p.turns));
}

ArmWaveforms design_floret(const FloretProtocol& p) {
  p.check();
  const auto arms = floret_arms(p);
  const double c = 4 * pi * p.fov * p.fov * p.alpha0 / static_cast<double>(arms);  // dtheta/dr = c r
  const Path path =
      spiral_path({.rate = [c](double r) { return c * r; }, .slope = [c](double) { return c; }}, 0.5 / p.resolution);
  MotionOptions options{.max_speed = std::min(p.limits.max_speed(), 1 / (p.fov * p.dwell))};
  GradientLimits limits = p.limits;
  Waveform wave;
  // A design for the plane, slowed until the steepest cone keeps the slew rate as well.
  for (int round = 0; round < 8; ++round) {
    wave = cone_waveform(on_raster(path, fastest_motion(path, limits, options), limits.raster), limits);
    const double over = worst_slew(wave, p.alpha0, p.limits.max_slew);
    if (over <= 1) break;
    limits.max_slew /= over * (round < 2 ? 1 : 1.02);
  }
  // The chords of a waveform end some 1e-5 off the radius of its curve: none of the cones may lie beyond the matrix.
  const Vec3 end = wave.gamma * wave.moment0();
  const double reached = std::max(std::hypot(end[0], end[1]), std::abs(end[2]));
  if (reached > 0.5 / p.resolution)
    for (auto& g : wave.g) g = (0.5 / p.resolution / reached) * g;

  ArmWaveforms out{.waveforms = {}, .arms = {}, .sampling = {}, .limits = p.limits, .fov = {p.fov, p.fov, p.fov}};
  const double length = wave.duration();
  out.sampling.samples = static_cast<std::int64_t>(std::floor(length / p.dwell * (1 + 1e-12)));
  out.sampling.dwell = p.dwell;
  need(out.sampling.samples >= 1,
       fmt::format("a readout of {:.4g} us is shorter than the dwell time of {:.4g} us", 1e6 * length, 1e6 * p.dwell),
       "shorten the dwell time, or ask for fewer arms");
  // In the worst case all of x, y and z is played: what does for the vector (x, y, z) does for every cone, since each
  // of them takes less of both.
  ramp_down(wave, p.limits);
  if (p.rewound) rewind(wave, p.limits);
  out.waveforms.push_back(std::move(wave));
  for (int hub = 0; hub < p.hubs; ++hub)
    for (std::int64_t i = 0; i < arms; ++i) {
      // Even elevations: a cone at alpha is cos(alpha) times shorter around, and so is an arm on it.
      const double alpha = p.alpha0 * (2 * (static_cast<double>(i) + 0.5) / static_cast<double>(arms) - 1);
      out.arms.push_back({.map = cycled_axes(hub) *
                                 (turned_about_z(std::fmod(static_cast<double>(i) * golden_angle_centre_out, 2 * pi)) *
                                  cone_map(alpha))});
    }
  return out;
}

std::int64_t distributed_arms(const DistributedProtocol& p) {
  const double all = static_cast<double>(p.spiral.arms) * p.fov_z / p.resolution_z;
  return std::max<std::int64_t>(1,
                                static_cast<std::int64_t>(std::ceil((p.sphere ? 2.0 / 3 : 1.0) * all * (1 - 1e-12))));
}

namespace {

/// Where arm m of n lies, in -1..1: even heights in a cylinder, in a sphere as many as the area 1 - z^2 of a disc
/// needs.
double height_of(std::int64_t m, std::int64_t n, bool sphere) {
  const double part = (static_cast<double>(m) + 0.5) / static_cast<double>(n);
  if (!sphere) return 2 * part - 1;
  // (2 + 3 z - z^3) / 4 = part
  double low = -1, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double z = 0.5 * (low + high);
    ((2 + 3 * z - z * z * z) / 4 < part ? low : high) = z;
  }
  return 0.5 * (low + high);
}

}  // namespace

ArmWaveforms design_distributed(const DistributedProtocol& p, const Cancel* cancel) {
  const SpiralProtocol& s = p.spiral;
  s.check();
  need(p.fov_z > 0 && p.resolution_z > 0 && p.resolution_z <= p.fov_z / 2,
       fmt::format("a resolution of {:.6g} m in a field of view of {:.6g} m along z", p.resolution_z, p.fov_z),
       "give a field of view of two voxels or more");
  const std::int64_t n = distributed_arms(p);
  need(n <= 1'000'000, fmt::format("{} arms", n), "ask for a coarser resolution");
  const double radius = spiral_radius(s.fov, s.resolution, s.true_resolution) / s.fov, top = 0.5 / p.resolution_z;
  const auto& limits = s.limits;
  MotionOptions options{.max_speed = std::min(limits.max_speed(), 1 / (s.fov * s.dwell))};

  struct Plane {
    Path path;
    Motion motion;
  };
  const auto planes = static_cast<std::size_t>(p.sphere ? n : 1);
  const auto design = [&](std::size_t i) {
    const double z = p.sphere ? height_of(static_cast<std::int64_t>(i), n, true) : 0, area = 1 - z * z;
    // A pitch of less than one arm would leave gaps that no other arm fills.
    const double arms = std::max(1.0, static_cast<double>(s.arms) * area), edge = radius * std::sqrt(area);
    Plane plane{.path = spiral_path(archimedean(s.fov, arms, edge, s.undersampling), edge), .motion = {}};
    plane.motion = fastest_motion(plane.path, limits, options);
    return plane;
  };
  std::vector<std::size_t> lengths(planes);
  parallel_for(
      planes, 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) lengths[i] = rasters_of(design(i).motion, limits.raster);
      },
      cancel);
  const std::size_t length = *std::max_element(lengths.begin(), lengths.end());
  const Vec3 encode{0, 0, top / limits.gamma};
  const std::size_t lobe = shortest_lobe(norm(encode), limits).length;

  ArmWaveforms out{.waveforms = std::vector<Waveform>(planes),
                   .arms = {},
                   .sampling = {},
                   .limits = limits,
                   .fov = {s.fov, s.fov, p.fov_z}};
  parallel_for(
      planes, 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const Plane plane = design(i);
          Waveform w{.raster = limits.raster, .gamma = limits.gamma, .g = {Vec3{}}};
          append_lobe(w, encode, lobe, limits);
          w.g.pop_back();
          const OnRaster motion = on_raster(plane.path, plane.motion, limits.raster, length);
          Waveform flat{.raster = limits.raster, .gamma = limits.gamma};
          for (std::size_t t = 0; t < motion.v.size(); ++t) {
            const double size = motion.v[t] / limits.gamma;
            flat.g.push_back({size * std::cos(motion.psi[t]), size * std::sin(motion.psi[t]), 0});
          }
          const double reached = limits.gamma * norm(flat.moment0()), edge = plane.path.r.back();
          for (const auto& g : flat.g) w.g.push_back(std::min(1.0, edge / reached) * g);
          ramp_down(w, limits);
          if (s.end != SpiralEnd::ramp) rewind(w, limits);
          out.waveforms[i] = std::move(w);
        }
      },
      cancel);
  std::size_t longest = 0;
  for (const auto& w : out.waveforms) longest = std::max(longest, w.g.size());
  for (auto& w : out.waveforms) w.g.resize(longest, Vec3{});
  out.sampling = {.samples = static_cast<std::int64_t>(
                      std::floor(static_cast<double>(length) * limits.raster / s.dwell * (1 + 1e-12))),
                  .dwell = s.dwell,
                  .start = static_cast<double>(lobe) * limits.raster,
                  .centre = static_cast<double>(lobe) * limits.raster};
  need(out.sampling.samples >= 1, "a readout that is shorter than the dwell time",
       "shorten the dwell time, or ask for fewer arms");
  for (std::int64_t m = 0; m < n; ++m) {
    const Matrix3 scaled{Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, height_of(m, n, p.sphere)}};
    out.arms.push_back(
        {.waveform = p.sphere ? static_cast<std::size_t>(m) : 0,
         .map = turned_about_z(std::fmod(static_cast<double>(m) * golden_angle_centre_out, 2 * pi)) * scaled});
  }
  return out;
}

}  // namespace larmor::recon
