// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/spiral.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

constexpr double pi = std::numbers::pi;

template <class T>
T named(const char* kind, std::string_view name, const std::vector<std::pair<const char*, T>>& all) {
  std::vector<std::string> names;
  for (const auto& [known, value] : all) {
    if (name == known) return value;
    names.emplace_back(known);
  }
  throw unknown_name(kind, name, names, fmt::format("one of: {}", fmt::join(names, ", ")));
}

void need(bool fine, const std::string& what, const std::string& advice) {
  if (!fine) throw Error(Errc::range, "spiral: " + what, advice);
}

/// The gradient against time out of the motion, x + iy as a vector.
std::vector<Vec3> gradients_of(const OnRaster& motion, double gamma) {
  std::vector<Vec3> g;
  g.reserve(motion.v.size() + 2);
  for (std::size_t i = 0; i < motion.v.size(); ++i) {
    const double size = motion.v[i] / gamma;
    g.push_back({size * std::cos(motion.psi[i]), size * std::sin(motion.psi[i]), 0});
  }
  return g;
}

/// The gradient stays as it is until k is as far out as asked, for what the sample dephases by.
void spoil(Waveform& waveform, double radius) {
  const Vec3 last = waveform.g.back();
  const Vec3 k = waveform.gamma * waveform.moment0();
  const double speed = waveform.gamma * norm(last), so_far = norm(k);
  if (!(speed > 0) || so_far >= radius) return;
  // |k + v t| = radius
  const double along = waveform.gamma * dot(k, last);
  const double t =
      (-along + std::sqrt(along * along + speed * speed * (radius * radius - so_far * so_far))) / (speed * speed);
  const auto n = static_cast<std::size_t>(std::ceil(t / waveform.raster));
  waveform.g.insert(waveform.g.end(), n, last);
}

/// Speed that grows to its limit at the end of the path as exp(t / T2): of time left u, v = v_max exp(-u / T2), so that
/// the arc left is T2 (v_max - v).
std::vector<double> matched_speeds(const Path& path, double most, double T2) {
  const double whole = path.s.back();
  need(whole < most * T2,
       fmt::format("a readout of {:.4g} ms at the gradient limit alone cannot be matched to a T2 of {:.4g} ms",
                   1e3 * whole / most, 1e3 * T2),
       fmt::format("give a T2_match of more than {:.4g} s, more arms or a higher gradient limit", whole / most));
  std::vector<double> caps;
  caps.reserve(path.size());
  for (const double s : path.s) caps.push_back(most - (whole - s) / T2);
  return caps;
}

Waveform plain(const SpiralProtocol& p, std::vector<Vec3> g) {
  return {.raster = p.limits.raster, .gamma = p.limits.gamma, .g = std::move(g)};
}

/// Ends the design after its readout.
void finish(SpiralDesign& d, const SpiralProtocol& p) {
  Waveform& w = d.waveform;
  d.readout_end = w.g.size() - 1;
  if (p.end == SpiralEnd::spoil) spoil(w, p.spoil_cycles / p.resolution);
  ramp_down(w, p.limits);
  d.ramp_end = w.g.size() - 1;
  if (p.end == SpiralEnd::rewind) rewind(w, p.limits);
  if (p.end == SpiralEnd::rewind_both) rewind_both(w, p.limits);
  d.rewind_end = w.g.size() - 1;
  const double length = static_cast<double>(d.readout_end - d.readout_begin) * p.limits.raster;
  d.samples = static_cast<std::int64_t>(std::floor(length / p.dwell * (1 + 1e-12)));
  need(d.samples >= 1,
       fmt::format("a readout of {:.4g} us is shorter than the dwell time of {:.4g} us", 1e6 * length, 1e6 * p.dwell),
       "shorten the dwell time, or ask for fewer arms");
}

/// g of the curve that comes in: t -> -t of the one that goes out. `mirrored`: its reflection, so that both join
/// smoothly.
std::vector<Vec3> incoming(const std::vector<Vec3>& out, const SpiralProtocol& p, bool mirrored) {
  // The curve seen from its end backwards: q(u) = k(-u), dq/du = -g(-u)
  Waveform back = plain(p, {});
  for (const auto& v : out) back.g.push_back(mirrored ? Vec3{-v[0], v[1], 0} : v);
  ramp_down(back, p.limits);
  rewind(back, p.limits);
  std::vector<Vec3> g;
  for (auto v = back.g.rbegin(); v != back.g.rend(); ++v) g.push_back(-1.0 * *v);
  return g;
}

}  // namespace

Undersampling::Shape undersampling_shape(std::string_view name) {
  using S = Undersampling::Shape;
  return named<S>("shape of undersampling", name,
                  {{"linear", S::linear}, {"quadratic", S::quadratic}, {"hanning", S::hanning}});
}
SpiralDirection spiral_direction(std::string_view name) {
  using D = SpiralDirection;
  return named<D>("direction of a spiral", name, {{"out", D::out}, {"in", D::in}, {"in-out", D::in_out}});
}
SpiralEnd spiral_end(std::string_view name) {
  using E = SpiralEnd;
  return named<E>("end of a spiral", name,
                  {{"ramp", E::ramp}, {"rewind", E::rewind}, {"rewind-both", E::rewind_both}, {"spoil", E::spoil}});
}

double Undersampling::at(double radius) const {
  if (radius <= begin && radius < end) return 1;
  if (radius >= end) return begin >= 1 && end >= 1 ? 1 : factor;
  const double x = (radius - begin) / (end - begin);
  const double rise = shape == Shape::linear ? x : shape == Shape::quadratic ? x * x : 0.5 * (1 - std::cos(pi * x));
  return 1 + (factor - 1) * rise;
}

double Undersampling::slope(double radius) const {
  if (radius <= begin || radius >= end) return 0;
  const double x = (radius - begin) / (end - begin);
  const double rise = shape == Shape::linear ? 1 : shape == Shape::quadratic ? 2 * x : 0.5 * pi * std::sin(pi * x);
  return (factor - 1) * rise / (end - begin);
}

void Undersampling::check() const {
  need(begin >= 0 && begin <= end && end <= 1, fmt::format("undersampling from radius {} to {}", begin, end),
       "give 0 <= begin <= end <= 1");
  need(begin < end || factor == 1 || begin >= 1,
       fmt::format("undersampling that jumps to {} at radius {}: the gradient would have to jump too", factor, begin),
       "let it begin before it ends");
  need(factor >= 0.1 && factor <= 100, fmt::format("undersampling by {}", factor), "give 0.1 to 100");
}

void SpiralProtocol::check() const {
  limits.check();
  undersampling.check();
  const auto positive = [](const char* what, double v, const char* unit) {
    need(v > 0 && std::isfinite(v), fmt::format("a {} of {:.6g} {}", what, v, unit), "give more than 0");
  };
  positive("field of view", fov, "m");
  positive("resolution", resolution, "m");
  positive("dwell time", dwell, "s");
  need(resolution <= fov / 2, fmt::format("a resolution of {:.6g} m in a field of view of {:.6g} m", resolution, fov),
       "give a field of view of two voxels or more");
  need(arms >= 1 && arms <= 1'000'000, fmt::format("{} arms", arms), "give 1 to 1000000");
  need(T2_match >= 0 && std::isfinite(T2_match), fmt::format("a T2 of {:.6g} s to match", T2_match),
       "give more than 0, or 0 for none");
  need(spoil_cycles >= 0 && spoil_cycles <= 1000, fmt::format("spoiling by {:.6g} cycles", spoil_cycles),
       "give 0 to 1000");
  // Neighbouring samples are a cycle/FOV apart at most.
  const double most = 1 / (limits.gamma * fov * dwell);
  const double slowest = limits.max_slew * limits.raster;
  need(most > slowest,
       fmt::format("the sampling limit: a dwell time of {:.4g} us samples a field of view of {:.4g} m only under "
                   "{:.4g} mT/m, less than one raster of slew",
                   1e6 * dwell, fov, 1e3 * most),
       "shorten the dwell time");
}

double spiral_radius(double fov, double resolution, bool true_resolution) {
  const double half = fov / (2 * resolution);
  // Scanners record whole numbers of cycles: with the fraction the real protocol's counts come out 3 rasters too long.
  return true_resolution ? std::max(std::floor(half * 2 / std::sqrt(pi) * (1 + 1e-12)), half) : half;
}

std::int64_t spiral_matrix(double fov, double resolution, bool true_resolution) {
  const double n = fov / resolution * (true_resolution ? 1.25 : 1.0);
  return 2 * static_cast<std::int64_t>(std::ceil(n / 2 * (1 - 1e-12)));
}

Winding archimedean(double fov, double arms, double r_max, const Undersampling& undersampling) {
  const double pitch = arms / (2 * pi * fov);  // dr/dtheta
  return {.rate = [=](double r) { return 1 / (pitch * undersampling.at(r / r_max)); },
          .slope =
              [=](double r) {
                const double u = undersampling.at(r / r_max);
                return -undersampling.slope(r / r_max) / (r_max * pitch * u * u);
              }};
}

namespace {

SpiralDesign design_out_to(const SpiralProtocol& p, double r_max) {
  const Path path = spiral_path(archimedean(p.fov, static_cast<double>(p.arms), r_max, p.undersampling), r_max);
  MotionOptions options{.from_rest = p.direction != SpiralDirection::in_out};
  options.max_speed = std::min(p.limits.max_speed(), 1 / (p.fov * p.dwell));
  if (p.T2_match > 0) options.speed_cap = matched_speeds(path, options.max_speed, p.T2_match);
  const Motion motion = fastest_motion(path, p.limits, options);
  auto out = gradients_of(on_raster(path, motion, p.limits.raster), p.limits.gamma);
  // The chords of a waveform end some 1e-5 off the radius of its curve, and samples must not lie beyond it.
  const double reached = p.limits.gamma * norm(plain(p, out).moment0());
  if (reached > r_max)
    for (auto& g : out) g = (r_max / reached) * g;

  SpiralDesign d;
  if (p.direction == SpiralDirection::out) {
    d.waveform = plain(p, out);
    finish(d, p);
    return d;
  }
  const bool both = p.direction == SpiralDirection::in_out;
  auto g = incoming(out, p, both);
  d.centre = g.size() - 1;
  d.readout_begin = d.centre - (out.size() - 1);
  if (both) g.insert(g.end(), out.begin() + 1, out.end());
  d.waveform = plain(p, std::move(g));
  finish(d, p);
  return d;
}

}  // namespace

SpiralDesign design_spiral(const SpiralProtocol& p) {
  p.check();
  const double radius = (p.radius > 0 ? p.radius : spiral_radius(p.fov, p.resolution, p.true_resolution)) / p.fov;
  SpiralDesign d = design_out_to(p, radius);
  const auto length = [&] { return static_cast<double>(d.readout_end - d.readout_begin) * p.limits.raster; };
  constexpr double furthest = 1.1;
  double further = 1;
  while (d.samples < p.least_samples && further < furthest) {
    // Time grows with the square of the radius at a constant speed, and slower before; a raster more, to arrive.
    const double missing = static_cast<double>(p.least_samples) * p.dwell + p.limits.raster - length();
    further = std::min(furthest, further * (1 + 0.5 * missing / length()));
    d = design_out_to(p, further * radius);
  }
  need(d.samples >= p.least_samples,
       fmt::format(
           "{} samples of {:.4g} us are {:.4g} ms, and out to the resolution asked for the readout takes {:.4g} ms",
           p.least_samples, 1e6 * p.dwell, 1e3 * static_cast<double>(p.least_samples) * p.dwell,
           1e3 * static_cast<double>(design_out_to(p, radius).readout_end) * p.limits.raster),
       "check arms, dwell time and limits");
  return d;
}

}  // namespace larmor::recon
