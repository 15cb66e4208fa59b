// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/sim/blocks.hpp>
#include <larmor/sim/program.hpp>
#include <map>
#include <numbers>

namespace larmor::sim {
namespace {

constexpr double pi = std::numbers::pi;

void positive(const char* what, double v, const char* unit) {
  if (!(v > 0) || !std::isfinite(v))
    throw Error(Errc::range, fmt::format("{} of {:g} {}", what, v, unit), "give a number above 0");
}
void finite(const char* what, double v) {
  if (!std::isfinite(v)) throw Error(Errc::range, fmt::format("{} of {:g}", what, v), "give a finite number");
}
void axis_of(int axis) {
  if (axis < 0 || axis > 2) throw Error(Errc::range, fmt::format("axis {} of a gradient", axis), "give 0, 1 or 2");
}

std::shared_ptr<const Gradient> shared(Gradient g) { return std::make_shared<const Gradient>(std::move(g)); }

}  // namespace

double bandwidth(const PulseSpec& s) { return (s.shape == PulseShape::hard ? 1 : s.time_bandwidth) / s.duration; }

Rf make_pulse(const PulseSpec& s, double raster, double gamma) {
  positive("a pulse", s.duration, "s");
  positive("a raster", raster, "s");
  finite("a flip angle", s.FA), finite("a phase", s.phase), finite("a frequency", s.frequency);
  if (s.shape != PulseShape::hard) positive("a time-bandwidth product", s.time_bandwidth, "");
  if (!(s.apodisation >= 0 && s.apodisation <= 0.5))
    throw Error(Errc::range, fmt::format("an apodisation of {:g}", s.apodisation), "give 0 to 0.5");
  Rf rf;
  rf.use = s.use, rf.frequency_offset = s.frequency;
  rf.phase_offset = s.FA < 0 ? s.phase + pi : s.phase;
  // The phase is that of the pulse's middle.
  rf.phase_offset -= 2 * pi * s.frequency * 0.5 * s.duration;
  const double turns = std::abs(s.FA) / (2 * pi * gamma);  // integral of B1
  if (s.shape == PulseShape::hard) {
    rf.times = {0, s.duration};
    rf.magnitude = {turns / s.duration, turns / s.duration};
    rf.phase = {0, 0};
    rf.centre = 0.5 * s.duration;
    return rf;
  }
  const auto n = static_cast<std::size_t>(std::clamp(std::round(s.duration / raster), 16.0, 1e6));
  rf.raster = s.duration / static_cast<double>(n);
  std::vector<double> b(n);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double t = (static_cast<double>(i) + 0.5) / static_cast<double>(n) - 0.5;  // of the duration
    if (s.shape == PulseShape::sinc) {
      const double x = pi * s.time_bandwidth * t;
      b[i] = (std::abs(x) < 1e-12 ? 1 : std::sin(x) / x) * (1 - s.apodisation + s.apodisation * std::cos(2 * pi * t));
    } else {
      // The transform of exp(-a t^2) has the width 4 sqrt(a ln 2) / (2 pi) at half its height.
      const double a = std::pow(pi * s.time_bandwidth / 2, 2) / std::log(2.0);
      b[i] = std::exp(-a * t * t);
    }
    sum += b[i] * rf.raster;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double v = b[i] * turns / sum;
    rf.magnitude.push_back(std::abs(v));
    rf.phase.push_back(v < 0 ? pi : 0);
  }
  rf.centre = 0.5 * s.duration;
  return rf;
}

Gradient trapezoid_of_area(double area, double duration, const GradientLimits& limits) {
  finite("a gradient's area", area);
  positive("a gradient limit", limits.amplitude, "T/m"), positive("a slew limit", limits.slew, "T/m/s");
  if (!(duration >= 0) || !std::isfinite(duration))
    throw Error(Errc::range, fmt::format("a gradient of {:g} s", duration), "give 0 for the shortest, or a time");
  const double size = std::abs(area), sign = area < 0 ? -1 : 1;
  const double ramp_full = limits.amplitude / limits.slew;
  const double shortest =
      size <= limits.amplitude * ramp_full ? 2 * std::sqrt(size / limits.slew) : size / limits.amplitude + ramp_full;
  Gradient g;
  if (duration == 0) duration = shortest;
  if (duration < shortest * (1 - 1e-9))
    throw Error(Errc::range,
                fmt::format("a gradient of area {:g} T s/m in {:g} s takes {:g} s at {:g} T/m and {:g} T/m/s", area,
                            duration, shortest, limits.amplitude, limits.slew),
                "give more time, or less area");
  // Amplitude A and ramps A / slew: A (T - A / slew) = area, the smaller root.
  const double under = std::max(0.0, duration * duration - 4 * size / limits.slew);
  const double A = size == 0 ? 0 : 0.5 * limits.slew * (duration - std::sqrt(under));
  const double ramp = size == 0 ? 0 : A / limits.slew;
  g.trapezoid = Gradient::Trapezoid{sign * A, ramp, std::max(0.0, duration - 2 * ramp), ramp};
  return g;
}

Gradient trapezoid_of_top(double amplitude, double flat, const GradientLimits& limits) {
  finite("a gradient", amplitude);
  positive("a gradient limit", limits.amplitude, "T/m"), positive("a slew limit", limits.slew, "T/m/s");
  if (!(flat >= 0) || !std::isfinite(flat))
    throw Error(Errc::range, fmt::format("a flat top of {:g} s", flat), "give 0 or more");
  if (std::abs(amplitude) > limits.amplitude * (1 + 1e-9))
    throw Error(Errc::range,
                fmt::format("a gradient of {:g} T/m is above the limit of {:g} T/m", amplitude, limits.amplitude),
                "make the slice thicker, the field of view larger or the pulse or dwell time longer");
  const double ramp = std::abs(amplitude) / limits.slew;
  Gradient g;
  g.trapezoid = Gradient::Trapezoid{amplitude, ramp, flat, ramp};
  return g;
}

Block pulse_block(const PulseSpec& spec, double thickness, int axis, const GradientLimits& limits) {
  axis_of(axis);
  if (!(thickness >= 0) || !std::isfinite(thickness))
    throw Error(Errc::range, fmt::format("a slice of {:g} mm", thickness), "give 0 for no gradient, or a thickness");
  Rf rf = make_pulse(spec);
  Block out;
  out.duration = spec.duration;
  if (thickness > 0) {
    const double amplitude = bandwidth(spec) / (proton_gamma * thickness * 1e-3);
    if (amplitude > limits.amplitude)
      throw Error(Errc::range,
                  fmt::format("a slice of {:g} mm needs {:g} T/m, above the limit of {:g} T/m", thickness, amplitude,
                              limits.amplitude),
                  fmt::format("{:.3g} mm and thicker are possible with this pulse, or a longer one",
                              thickness * amplitude / limits.amplitude));
    Gradient g = trapezoid_of_top(amplitude, spec.duration, limits);
    rf.delay = g.trapezoid->rise;
    out.duration = g.duration();
    out.g[static_cast<std::size_t>(axis)] = shared(std::move(g));
  }
  out.rf = std::make_shared<const Rf>(std::move(rf));
  return out;
}

double rephasing_area(const Block& block, int axis) {
  axis_of(axis);
  const auto& g = block.g[static_cast<std::size_t>(axis)];
  if (!g || !g->trapezoid || !block.rf) return 0;
  const auto& t = *g->trapezoid;
  const double rest = g->delay + t.rise + t.flat - block.rf->centre_time();
  return -t.amplitude * (rest + 0.5 * t.fall);
}

Block gradient_block(const std::vector<std::pair<int, Gradient>>& axes) {
  Block out;
  for (const auto& [axis, g] : axes) {
    axis_of(axis);
    out.g[static_cast<std::size_t>(axis)] = shared(g);
    out.duration = std::max(out.duration, g.duration());
  }
  return out;
}

Block delay_block(double duration) {
  if (!(duration >= 0) || !std::isfinite(duration))
    throw Error(Errc::range, fmt::format("a delay of {:g} s", duration), "give 0 or more");
  Block out;
  out.duration = duration;
  return out;
}

Block readout_block(std::int64_t samples, double dwell, double fov, int axis, double phase,
                    const GradientLimits& limits) {
  axis_of(axis);
  positive("a dwell time", dwell, "s");
  if (samples < 1 || samples > 10000000) throw Error(Errc::range, fmt::format("{} samples", samples), "give 1 to 1e7");
  if (!(fov >= 0) || !std::isfinite(fov))
    throw Error(Errc::range, fmt::format("a field of view of {:g} mm", fov), "give 0 for no gradient, or a length");
  Adc adc;
  adc.samples = samples, adc.dwell = dwell, adc.phase_offset = phase;
  Block out;
  const double length = static_cast<double>(samples) * dwell;
  out.duration = length;
  if (fov > 0) {
    // One cycle over the field of view a sample.
    Gradient g = trapezoid_of_top(1 / (proton_gamma * fov * 1e-3 * dwell), length, limits);
    adc.delay = g.trapezoid->rise;
    out.duration = g.duration();
    out.g[static_cast<std::size_t>(axis)] = shared(std::move(g));
  }
  out.adc = std::make_shared<const Adc>(adc);
  return out;
}

Block spoil_block(double duration) {
  Block out = delay_block(duration);
  out.labels.push_back({spoil_label, 1, false});
  return out;
}

void append(Sequence& to, const Sequence& more) {
  if (to.blocks.empty() && to.definitions.empty())
    to = more;
  else
    to.blocks.insert(to.blocks.end(), more.blocks.begin(), more.blocks.end());
}

Sequence repeated(const Sequence& one, int times, double phase_increment, bool alternate) {
  if (times < 1 || times > 1000000) throw Error(Errc::range, fmt::format("{} repeats", times), "give 1 to 1,000,000");
  if (static_cast<double>(times) * static_cast<double>(one.blocks.size()) > 1e7)
    throw Error(Errc::range, fmt::format("{} repeats of {} blocks", times, one.blocks.size()),
                "give 1e7 blocks at most");
  finite("a phase increment", phase_increment);
  Sequence out = one;
  out.blocks.clear();
  for (int n = 0; n < times; ++n) {
    const double phase =
        std::remainder(phase_increment * 0.5 * n * (n + 1.0) + (alternate && n % 2 ? pi : 0.0), 2 * pi);
    for (Block b : one.blocks) {
      if (phase != 0 && b.rf) {
        Rf rf = *b.rf;
        rf.phase_offset += phase;
        b.rf = std::make_shared<const Rf>(std::move(rf));
      }
      if (phase != 0 && b.adc) {
        Adc adc = *b.adc;
        adc.phase_offset += phase;
        b.adc = std::make_shared<const Adc>(adc);
      }
      out.blocks.push_back(std::move(b));
    }
  }
  return out;
}

}  // namespace larmor::sim
