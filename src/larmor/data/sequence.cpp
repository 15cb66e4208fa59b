// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/error.hpp>
#include <larmor/data/sequence.hpp>
#include <numbers>

namespace larmor {
namespace {

// Times are sums and products of decimal fractions: two that mean the same moment differ by roundings only.
constexpr double same_time = 1e-10;

double sample_place(const std::vector<double>& times, double raster, std::size_t i) {
  return times.empty() ? (static_cast<double>(i) + 0.5) * raster : times[i];
}

/// Throws with the block and the event in front.
class Checker {
 public:
  explicit Checker(std::size_t block) : block_(block) {}
  void event(const char* name) { event_ = name; }

  void finite(const char* what, double v) const {
    if (!std::isfinite(v)) fail(Errc::range, fmt::format("{} is {}", what, v), "give a finite number");
  }
  void not_negative(const char* what, double v) const {
    finite(what, v);
    if (v < 0) fail(Errc::range, fmt::format("{} is {:.6g}", what, v), "give 0 or more");
  }
  void positive(const char* what, double v) const {
    finite(what, v);
    if (!(v > 0)) fail(Errc::range, fmt::format("{} is {:.6g}", what, v), "give more than 0");
  }
  void increasing(const std::vector<double>& times) const {
    for (std::size_t i = 0; i < times.size(); ++i) {
      not_negative("a time", times[i]);
      if (i > 0 && !(times[i] > times[i - 1]))
        fail(Errc::range,
             fmt::format("time {} ({:.9g} s) is not after the one before ({:.9g} s)", i, times[i], times[i - 1]));
    }
  }
  void counts(const char* what, std::size_t n, const char* of, std::size_t m) const {
    if (n != m) fail(Errc::shape, fmt::format("{} {} for {} {}", n, what, m, of));
  }
  void fits(double end, double duration) const {
    if (end > duration + same_time)
      fail(Errc::range, fmt::format("it ends at {:.9g} s and the block lasts {:.9g} s", end, duration),
           "make the block longer");
  }
  [[noreturn]] void fail(Errc code, const std::string& what, const std::string& advice = {}) const {
    throw Error(code, fmt::format("sequence: {} of block {}: {}", event_, block_, what), advice);
  }

 private:
  std::size_t block_;
  const char* event_ = "duration";
};

void check_gradient(Checker& check, const Gradient& g) {
  check.not_negative("the delay", g.delay);
  if (g.trapezoid) {
    check.finite("the amplitude", g.trapezoid->amplitude);
    check.not_negative("the rise", g.trapezoid->rise);
    check.not_negative("the flat top", g.trapezoid->flat);
    check.not_negative("the fall", g.trapezoid->fall);
    return;
  }
  if (g.values.empty()) check.fail(Errc::shape, "a waveform without samples");
  for (const double v : g.values) check.finite("a sample", v);
  if (!g.times.empty()) {
    check.counts("times", g.times.size(), "samples", g.values.size());
    check.increasing(g.times);
  } else {
    check.positive("the raster", g.raster);
  }
}

void check_rf(Checker& check, const Rf& rf) {
  check.not_negative("the delay", rf.delay);
  check.finite("the frequency offset", rf.frequency_offset);
  check.finite("the phase offset", rf.phase_offset);
  if (rf.magnitude.empty()) check.fail(Errc::shape, "a pulse without samples");
  check.counts("phases", rf.phase.size(), "magnitudes", rf.magnitude.size());
  for (const double v : rf.magnitude) check.not_negative("a magnitude", v);
  for (const double v : rf.phase) check.finite("a phase", v);
  if (!rf.times.empty()) {
    check.counts("times", rf.times.size(), "samples", rf.magnitude.size());
    check.increasing(rf.times);
  } else {
    check.positive("the raster", rf.raster);
  }
}

void check_adc(Checker& check, const Adc& adc) {
  if (adc.samples < 1) check.fail(Errc::range, fmt::format("{} samples", adc.samples), "give 1 or more");
  check.positive("the dwell time", adc.dwell);
  check.not_negative("the delay", adc.delay);
  check.finite("the frequency offset", adc.frequency_offset);
  check.finite("the phase offset", adc.phase_offset);
}

}  // namespace

std::vector<Corner> Gradient::corners() const {
  if (trapezoid) {
    const auto& t = *trapezoid;
    return {{delay, 0.0},
            {delay + t.rise, t.amplitude},
            {delay + t.rise + t.flat, t.amplitude},
            {delay + t.rise + t.flat + t.fall, 0.0}};
  }
  std::vector<Corner> out;
  const std::size_t n = values.size();
  if (n == 0) return out;
  if (!times.empty()) {
    for (std::size_t i = 0; i < n; ++i) out.push_back({delay + times[i], values[i]});
    return out;
  }
  out.reserve(n + 2);
  out.push_back({delay, first.value_or(n > 1 ? 1.5 * values[0] - 0.5 * values[1] : values[0])});
  for (std::size_t i = 0; i < n; ++i) out.push_back({delay + sample_place(times, raster, i), values[i]});
  out.push_back({delay + static_cast<double>(n) * raster,
                 last.value_or(n > 1 ? 1.5 * values[n - 1] - 0.5 * values[n - 2] : values[0])});
  return out;
}

double Gradient::duration() const {
  if (trapezoid) return delay + trapezoid->rise + trapezoid->flat + trapezoid->fall;
  if (!times.empty()) return delay + times.back();
  return delay + static_cast<double>(values.size()) * raster;
}

double Rf::sample_time(std::size_t i) const { return delay + sample_place(times, raster, i); }

double Rf::centre_time() const {
  if (centre) return delay + *centre;
  if (magnitude.empty()) return delay;
  const double most = *std::max_element(magnitude.begin(), magnitude.end());
  std::size_t begin = magnitude.size(), end = 0;
  // A flat top rounds: its samples are the greatest within one part in a million.
  for (std::size_t i = 0; i < magnitude.size(); ++i)
    if (magnitude[i] >= most * (1 - 1e-6)) begin = std::min(begin, i), end = i;
  return 0.5 * (sample_time(begin) + sample_time(end));
}

double Rf::duration() const {
  if (!times.empty()) return delay + times.back();
  return delay + static_cast<double>(magnitude.size()) * raster;
}

double Rf::flip_angle(double gamma) const {
  std::complex<double> sum = 0;
  const auto b1 = [&](std::size_t i) { return std::polar(magnitude[i], phase[i]); };
  if (times.empty()) {
    for (std::size_t i = 0; i < magnitude.size(); ++i) sum += b1(i) * raster;
  } else {
    for (std::size_t i = 1; i < magnitude.size(); ++i) sum += 0.5 * (b1(i - 1) + b1(i)) * (times[i] - times[i - 1]);
  }
  return 2 * std::numbers::pi * gamma * std::abs(sum);
}

double Sequence::duration() const {
  double t = 0;
  for (const auto& block : blocks) t += block.duration;
  return t;
}

std::vector<double> Sequence::starts() const {
  std::vector<double> out;
  out.reserve(blocks.size());
  double t = 0;
  for (const auto& block : blocks) {
    out.push_back(t);
    t += block.duration;
  }
  return out;
}

const std::string* Sequence::definition(const std::string& name) const {
  for (const auto& [key, value] : definitions)
    if (key == name) return &value;
  return nullptr;
}

void Sequence::define(const std::string& name, std::string value) {
  for (auto& [key, old] : definitions)
    if (key == name) {
      old = std::move(value);
      return;
    }
  definitions.emplace_back(name, std::move(value));
}

void Sequence::check() const {
  for (const auto& [name, raster] : {std::pair{"gradient raster", gradient_raster},
                                     {"pulse raster", rf_raster},
                                     {"sampling raster", adc_raster},
                                     {"block raster", block_raster}})
    if (!(raster > 0) || !std::isfinite(raster))
      throw Error(Errc::range, fmt::format("sequence: the {} is {} s", name, raster), "give more than 0");
  if (!(gamma > 0) || !std::isfinite(gamma))
    throw Error(Errc::range, fmt::format("sequence: gamma is {} Hz/T", gamma), "give more than 0");
  constexpr std::array names{"gradient x", "gradient y", "gradient z"};
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const Block& block = blocks[b];
    Checker check(b);
    check.not_negative("it", block.duration);
    if (block.rf) {
      check.event("pulse");
      check_rf(check, *block.rf);
      check.fits(block.rf->duration(), block.duration);
    }
    for (std::size_t axis = 0; axis < 3; ++axis)
      if (block.g[axis]) {
        check.event(names[axis]);
        check_gradient(check, *block.g[axis]);
        check.fits(block.g[axis]->duration(), block.duration);
      }
    if (block.adc) {
      check.event("sampling");
      check_adc(check, *block.adc);
      check.fits(block.adc->duration(), block.duration);
    }
  }
}

}  // namespace larmor
