// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/line.hpp>
#include <larmor/recon/trajectory/path.hpp>

namespace larmor::recon {
namespace {

std::size_t rasters(double time, double raster) {
  return static_cast<std::size_t>(std::ceil(time / raster * (1 - 1e-12)));
}

/// How long after t the first sample is to wait, so that half a dwell time before it is a whole microsecond.
double until_microsecond(double t, double dwell) {
  const double us = 1e6 * (t - 0.5 * dwell);
  return std::max(0.0, 1e-6 * (std::ceil(us - 1e-6) - us));
}

/// Up along x to the gradient of the line, flat for `flat` rasters; the waveform ends at the top.
void rise_and_stay(Waveform& w, double gradient, std::size_t ramp, std::size_t flat) {
  for (std::size_t i = 1; i <= ramp; ++i)
    w.g.push_back({gradient * static_cast<double>(i) / static_cast<double>(ramp), 0, 0});
  w.g.insert(w.g.end(), flat, Vec3{gradient, 0, 0});
}

}  // namespace

std::int64_t LineProtocol::matrix() const {
  return 2 * static_cast<std::int64_t>(std::ceil(fov / resolution / 2 * (1 - 1e-12)));
}
std::int64_t LineProtocol::samples() const {
  const auto all = static_cast<std::int64_t>(std::ceil(static_cast<double>(matrix()) * oversampling * (1 - 1e-12)));
  return from_centre ? (all + 1) / 2 : all;
}
double LineProtocol::gradient() const { return 1 / (limits.gamma * fov * oversampling * dwell); }

void LineProtocol::check() const {
  limits.check();
  const auto need = [](bool fine, const std::string& what, const std::string& advice) {
    if (!fine) throw Error(Errc::range, "line: " + what, advice);
  };
  for (const auto& [name, v, unit] :
       {std::tuple{"field of view", fov, "m"}, {"resolution", resolution, "m"}, {"dwell time", dwell, "s"}})
    need(v > 0 && std::isfinite(v), fmt::format("a {} of {:.6g} {}", name, v, unit), "give more than 0");
  need(resolution <= fov / 2, fmt::format("a resolution of {:.6g} m in a field of view of {:.6g} m", resolution, fov),
       "give a field of view of two voxels or more");
  need(matrix() <= 1'000'000, fmt::format("a matrix of {}", matrix()), "ask for a coarser resolution");
  need(oversampling >= 1 && oversampling <= 100, fmt::format("an oversampling of {}", oversampling), "give 1 to 100");
  if (!from_centre)
    need(gradient() <= limits.max_gradient * (1 + 1e-12),
         fmt::format(
             "the gradient limit: a dwell time of {:.4g} us over {:.4g} m takes {:.4g} mT/m, and the limit is {:.4g}",
             1e6 * dwell, fov * oversampling, 1e3 * gradient(), 1e3 * limits.max_gradient),
         fmt::format("sample for {:.4g} us or longer", 1e6 * dwell * gradient() / limits.max_gradient));
}

Line design_line(const LineProtocol& p, const Vec3& encode) {
  p.check();
  Line line;
  Waveform& w = line.waveform;
  w = {.raster = p.limits.raster, .gamma = p.limits.gamma, .g = {Vec3{}}};
  line.sampling = {.samples = p.samples(), .dwell = p.dwell};
  const double raster = p.limits.raster;
  if (p.from_centre) {
    const double radius = 0.5 / p.resolution;
    const Path path = straight_path(radius);
    MotionOptions options;
    options.max_speed = std::min(p.limits.max_speed(), 1 / (p.fov * p.oversampling * p.dwell));
    const OnRaster motion = on_raster(path, fastest_motion(path, p.limits, options), raster);
    w.g.clear();
    for (const double v : motion.v) w.g.push_back({v / p.limits.gamma, 0, 0});
    line.sampling.samples =
        static_cast<std::int64_t>(std::floor(static_cast<double>(w.g.size() - 1) * raster / p.dwell * (1 + 1e-12)));
    ramp_down(w, p.limits);
    rewind(w, p.limits);
    return line;
  }
  const double g = p.gradient();
  const std::size_t ramp = std::max<std::size_t>(1, rasters(g / p.limits.max_slew, raster));
  // From the end of the ramp to the sample at k = 0.
  const double to_centre = static_cast<double>(p.samples() / 2) * p.dwell;
  const auto before = [&](double wait) {
    return Vec3{-g * (0.5 * static_cast<double>(ramp) * raster + wait + to_centre), encode[1], encode[2]};
  };
  // The prewinder for a wait of a whole microsecond is long enough for each shorter one.
  const std::size_t prewinder = shortest_lobe(norm(before(1e-6)), p.limits).length;
  const double late = until_microsecond(static_cast<double>(prewinder + ramp) * raster, p.dwell);
  const std::size_t flat = rasters(late + static_cast<double>(p.samples() - 1) * p.dwell, raster);
  append_lobe(w, before(late), prewinder, p.limits);
  const double start = w.duration();
  rise_and_stay(w, g, ramp, flat);
  ramp_down(w, p.limits);
  rewind(w, p.limits);
  line.sampling.start = start + static_cast<double>(ramp) * raster + late;
  line.sampling.centre = line.sampling.start + to_centre;
  return line;
}

ArmWaveforms design_cartesian(const CartesianProtocol& p) {
  const bool three = p.fov_z > 0;
  if (p.n_y < 1 || p.n_z < 1 || p.n_y * p.n_z > 10'000'000 || !(p.fov_y > 0))
    throw Error(Errc::range, fmt::format("cartesian: {} x {} lines over {:.4g} m", p.n_y, p.n_z, p.fov_y),
                "give 1 or more lines and a field of view");
  // The outermost line sets the length of all prewinders; the others are the same with less in y and z.
  const double half_y = static_cast<double>(p.n_y / 2), half_z = static_cast<double>(p.n_z / 2);
  const double gamma = p.line.limits.gamma;
  const Vec3 encode{0, half_y / (gamma * p.fov_y), three ? half_z / (gamma * p.fov_z) : 0};
  const Line line = design_line(p.line, encode);
  ArmWaveforms out{
      .waveforms = {line.waveform}, .sampling = line.sampling, .limits = p.line.limits, .fov = {p.line.fov, p.fov_y}};
  if (three) out.fov.push_back(p.fov_z);
  for (std::int64_t z = 0; z < p.n_z; ++z)
    for (std::int64_t y = 0; y < p.n_y; ++y) {
      const double part_y = half_y > 0 ? static_cast<double>(y - p.n_y / 2) / half_y : 0;
      const double part_z = half_z > 0 ? static_cast<double>(z - p.n_z / 2) / half_z : 0;
      out.arms.push_back({.map = {Vec3{1, 0, 0}, Vec3{0, part_y, 0}, Vec3{0, 0, part_z}}});
    }
  return out;
}

ArmWaveforms design_epi(const EpiProtocol& p) {
  p.line.check();
  if (p.lines < 1 || p.shots < 1 || p.shots > p.lines || p.lines > 100'000 || !(p.fov_y > 0))
    throw Error(Errc::range, fmt::format("epi: {} lines in {} shots over {:.4g} m", p.lines, p.shots, p.fov_y),
                "give 1 or more lines, no more shots than lines, and a field of view");
  if (!(p.partial > 0.5) || p.partial > 1)
    throw Error(Errc::range, fmt::format("epi: {} of the lines", p.partial), "give more than 0.5, up to 1");
  const double raster = p.line.limits.raster, gamma = p.line.limits.gamma, g = p.line.gradient();
  const auto& limits = p.line.limits;
  const double blip = static_cast<double>(p.shots) / (gamma * p.fov_y);  // area
  // From flat top to flat top x turns over in two ramps, and the blip is a triangle over both: the shortest ramp whose
  // slew rates together, and whose blip, keep the limits.
  std::size_t ramp = std::max<std::size_t>(1, rasters(g / limits.max_slew, raster));
  for (;; ++ramp) {
    const double t = static_cast<double>(ramp) * raster, peak = blip / t;
    if (std::hypot(g / t, peak / t) <= limits.max_slew && peak <= limits.max_gradient) break;
  }
  const auto n = p.line.samples();
  const double to_centre = static_cast<double>(n / 2) * p.line.dwell;
  const auto first = static_cast<std::int64_t>(std::llround((1 - p.partial) * static_cast<double>(p.lines)));
  // All shots are as long as the longest: shots that have a line less play it without samples.
  const std::int64_t lines = (p.lines - first + p.shots - 1) / p.shots;
  const double side = 0.5 * static_cast<double>(ramp) * raster;
  const auto start_of = [&](std::int64_t shot, double wait) {
    return Vec3{-g * (side + wait + to_centre), static_cast<double>(first + shot - p.lines / 2) / (gamma * p.fov_y), 0};
  };
  Vec3 widest{};
  for (std::int64_t shot = 0; shot < p.shots; ++shot)
    if (const Vec3 start = start_of(shot, 1e-6); norm(start) > norm(widest)) widest = start;
  const std::size_t prewinder = shortest_lobe(norm(widest), limits).length;
  const double late = until_microsecond(static_cast<double>(prewinder + ramp) * raster, p.line.dwell);
  // Room for both ways, whose samples at k = 0 lie at the same place: of an even number the middle is no sample.
  const std::size_t flat = rasters(late + 2 * to_centre, raster);
  // A line that goes back waits so that both ways have a sample at k = 0.
  const double late_back = static_cast<double>(flat) * raster - late - 2 * to_centre;

  ArmWaveforms out{.sampling = {.samples = n, .dwell = p.line.dwell}, .limits = limits, .fov = {p.line.fov, p.fov_y}};
  std::size_t longest = 0;
  for (std::int64_t shot = 0; shot < p.shots; ++shot) {
    Waveform w{.raster = raster, .gamma = gamma, .g = {Vec3{}}};
    append_lobe(w, start_of(shot, late), prewinder, limits);
    for (std::int64_t line = 0; line < lines; ++line) {
      const bool forth = line % 2 == 0;
      const double top = forth ? g : -g, peak = blip / (static_cast<double>(ramp) * raster);
      const auto part = [&](std::size_t i) { return static_cast<double>(i) / static_cast<double>(ramp); };
      for (std::size_t i = 1; i <= ramp; ++i) w.g.push_back({top * part(i), line > 0 ? peak * (1 - part(i)) : 0, 0});
      if (shot == 0) {
        const double begin = w.duration() + (forth ? late : late_back);
        out.sampling.runs.push_back(begin);
        if (line == (p.lines / 2 - first) / p.shots) out.sampling.centre = begin + to_centre;
      }
      w.g.insert(w.g.end(), flat, Vec3{top, 0, 0});
      for (std::size_t i = 1; i <= ramp; ++i)
        w.g.push_back({top * (1 - part(i)), line + 1 < lines ? peak * part(i) : 0, 0});
    }
    rewind(w, limits);
    longest = std::max(longest, w.g.size());
    out.arms.push_back({.waveform = static_cast<std::size_t>(shot)});
    out.waveforms.push_back(std::move(w));
  }
  for (auto& w : out.waveforms) w.g.resize(longest);
  return out;
}

}  // namespace larmor::recon
