// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/radial.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

constexpr double pi = std::numbers::pi;

std::int64_t spokes_of(const RadialProtocol& p, bool sphere) {
  p.line.check();
  const std::int64_t n = p.spokes > 0 ? p.spokes : spokes_needed(p.line.matrix(), p.line.from_centre, sphere);
  if (p.spokes < 0 || n > 20'000'000)
    throw Error(Errc::range, fmt::format("radial: {} spokes", p.spokes < 0 ? p.spokes : n), "give 1 to 20000000");
  return n;
}

ArmWaveforms spokes_along(const RadialProtocol& p, std::vector<double> fov) {
  const Line line = design_line(p.line);
  return {.waveforms = {line.waveform},
          .arms = {},
          .sampling = line.sampling,
          .limits = p.line.limits,
          .fov = std::move(fov)};
}

}  // namespace

std::int64_t spokes_needed(std::int64_t matrix, bool from_centre, bool sphere) {
  const auto n = static_cast<double>(matrix);
  const double lines = sphere ? 0.5 * pi * n * n : 0.5 * pi * n;
  return static_cast<std::int64_t>(std::ceil(from_centre ? 2 * lines : lines));
}

ArmWaveforms design_radial(const RadialProtocol& p) {
  const std::int64_t n = spokes_of(p, false);
  ArmWaveforms out = spokes_along(p, {p.line.fov, p.line.fov});
  const double even = (p.line.from_centre ? 2 * pi : pi) / static_cast<double>(n);
  const double golden = p.line.from_centre ? golden_angle_centre_out : golden_angle;
  for (std::int64_t i = 0; i < n; ++i)
    out.arms.push_back({.map = turned_about_z(std::fmod(static_cast<double>(i) * (p.golden ? golden : even), 2 * pi))});
  return out;
}

std::vector<Vec3> sphere_directions(std::int64_t n, bool half, bool golden) {
  // x^3 + x = 1 and its square.
  constexpr double second = 0.68232780382801932737, first = second * second;
  std::vector<Vec3> out;
  out.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(i);
    const double part = golden ? std::fmod(x * first, 1.0) : (x + 0.5) / static_cast<double>(n);
    const double angle = 2 * pi * std::fmod(x * (golden ? second : 1 - 1 / golden_ratio), 1.0);
    const double z = half ? part : 2 * part - 1, r = std::sqrt(std::max(0.0, 1 - z * z));
    out.push_back({r * std::cos(angle), r * std::sin(angle), z});
  }
  return out;
}

ArmWaveforms design_kooshball(const RadialProtocol& p) {
  const std::int64_t n = spokes_of(p, true);
  ArmWaveforms out = spokes_along(p, {p.line.fov, p.line.fov, p.line.fov});
  out.arms.reserve(static_cast<std::size_t>(n));
  for (const Vec3& d : sphere_directions(n, !p.line.from_centre, p.golden))
    out.arms.push_back({.map = {Vec3{d[0], 0, 0}, Vec3{d[1], 0, 0}, Vec3{d[2], 0, 0}}});
  return out;
}

std::int64_t blades_needed(std::int64_t matrix, std::int64_t lines) {
  return static_cast<std::int64_t>(
      std::ceil(0.5 * pi * static_cast<double>(matrix) / static_cast<double>(lines) * (1 - 1e-12)));
}

ArmWaveforms design_propeller(const PropellerProtocol& p) {
  p.line.check();
  if (p.lines < 1 || p.lines > p.line.matrix() || p.blades < 0 || p.blades > 1'000'000)
    throw Error(Errc::range,
                fmt::format("propeller: {} blades of {} lines for a matrix of {}", p.blades, p.lines, p.line.matrix()),
                "give 1 or more lines, up to the matrix");
  if (p.line.from_centre)
    throw Error(Errc::usage, "propeller: lines that start at the centre", "take lines through it");
  const std::int64_t blades = p.blades > 0 ? p.blades : blades_needed(p.line.matrix(), p.lines);
  const double outer = 0.5 * static_cast<double>(p.lines - 1);
  const Line line = design_line(p.line, {0, outer / (p.line.limits.gamma * p.line.fov), 0});
  ArmWaveforms out{.waveforms = {line.waveform},
                   .arms = {},
                   .sampling = line.sampling,
                   .limits = p.line.limits,
                   .fov = {p.line.fov, p.line.fov}};
  for (std::int64_t b = 0; b < blades; ++b)
    for (std::int64_t l = 0; l < p.lines; ++l) {
      const double part = outer > 0 ? (static_cast<double>(l) - outer) / outer : 0;
      const Matrix3 scaled{Vec3{1, 0, 0}, Vec3{0, part, 0}, Vec3{0, 0, 1}};
      out.arms.push_back({.map = turned_about_z(pi * static_cast<double>(b) / static_cast<double>(blades)) * scaled});
    }
  return out;
}

}  // namespace larmor::recon
