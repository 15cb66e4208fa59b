// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/sim/pulse_steps.hpp>
#include <numbers>

namespace larmor::sim {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;

std::vector<PulseStep> steps_of(const RfWave& wave, const Waves& waves, double a, double e, const Reach& reach,
                                std::size_t n) {
  std::vector<PulseStep> out(n);
  const double dt = (e - a) / static_cast<double>(n);
  std::complex<double> b = wave.integral(a);
  std::array<double, 3> k{};
  for (std::size_t x = 0; x < 3; ++x) k[x] = waves.g[x].integral(a);
  for (std::size_t i = 0; i < n; ++i) {
    const double t = i + 1 == n ? e : a + dt * static_cast<double>(i + 1);
    const auto next = wave.integral(t);
    out[i].b = two_pi * (next - b), b = next;
    out[i].wz = two_pi * reach.df * dt;
    for (std::size_t x = 0; x < 3; ++x) {
      const double k_next = waves.g[x].integral(t);
      out[i].g[x] = two_pi * (k_next - k[x]), k[x] = k_next;
      out[i].wz += std::abs(out[i].g[x]) * reach.place[x];
    }
  }
  return out;
}

/// The bound of CompileOptions::tolerance for these steps.
double error_of(const std::vector<PulseStep>& steps, double dt, const Reach& reach) {
  double sum = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const PulseStep &s = steps[i], &before = steps[i == 0 ? 0 : i - 1],
                    &after = steps[std::min(i + 1, steps.size() - 1)];
    const double half = i == 0 || i + 1 == steps.size() ? 1 : 0.5;
    const double db = half * reach.B1 * std::abs(after.b - before.b), b = reach.B1 * std::abs(s.b);
    double dwz = 0;
    for (std::size_t x = 0; x < 3; ++x) dwz += half * std::abs(after.g[x] - before.g[x]) * (reach.place[x]);
    // A field that is wrong by at most d / 2 over a step turns by d / 4 too much at most, however fast the spin
    // turns.
    const double wz = std::min(s.wz, 3.0);
    sum += (std::min(b, 3.0) * (dwz + db) + wz * db) / 12;
    sum += b * std::min(std::hypot(b, s.wz), 3.0) * reach.rate * dt / 12;
  }
  return sum;
}
/// What relaxation only every `group` steps costs: that of single steps, with all of a group in their places.
double relaxation_error(const std::vector<PulseStep>& steps, double dt, std::size_t group, const Reach& reach) {
  double sum = 0;
  for (std::size_t i = 0; i < steps.size(); i += group) {
    double b = 0, w = 0;
    for (std::size_t j = i; j < std::min(i + group, steps.size()); ++j)
      b += reach.B1 * std::abs(steps[j].b), w += std::hypot(reach.B1 * std::abs(steps[j].b), steps[j].wz);
    sum += b * std::min(w, 3.0) * reach.rate * dt * static_cast<double>(group) / 12;
  }
  return sum;
}

/// Whether sixteen parts of [a, e] have the same field.
bool constant(const RfWave& wave, const Waves& waves, double a, double e, const Reach& reach) {
  const auto steps = steps_of(wave, waves, a, e, reach, 16);
  for (const auto& s : steps) {
    if (std::abs(s.b - steps[0].b) > 1e-9 * std::abs(steps[0].b)) return false;
    for (std::size_t x = 0; x < 3; ++x)
      if (std::abs(s.g[x] - steps[0].g[x]) > 1e-9 * std::abs(steps[0].g[x]) + 1e-15) return false;
  }
  return true;
}

}  // namespace

PulseSteps pulse_steps(const RfWave& wave, const Waves& waves, double a, double e, const Reach& reach, double share) {
  const double whole = wave.end() - wave.begin();
  const auto error = [&](std::size_t n) {
    return error_of(steps_of(wave, waves, a, e, reach, n), (e - a) / static_cast<double>(n), reach);
  };
  // The error falls as 1 / n^2 once the steps resolve the waveform: ask the finest and go on from there.
  const std::size_t finest = std::clamp<std::size_t>(
      static_cast<std::size_t>(std::ceil(static_cast<double>(wave.cells()) * (e - a) / whole)), 1, 20000);
  std::size_t n = 1;
  if (error(1) > 0.75 * share || !constant(wave, waves, a, e, reach)) {
    const double guess = static_cast<double>(finest) * std::sqrt(error(finest) / (0.75 * share));
    n = static_cast<std::size_t>(std::clamp(guess, 2.0, 200000.0));
    while (n < 200000 && error(n) > 0.75 * share) n += n / 3 + 1;
  }
  // Relaxation less often than rotation, where a quarter of the tolerance allows: less work, and in f32 its small
  // changes are rounded less often.
  std::size_t group = 1;
  for (std::size_t next = 2; next <= 16 && 2 * next <= n; next *= 2) {
    const std::size_t m = (n + next - 1) / next * next;
    if (relaxation_error(steps_of(wave, waves, a, e, reach, m), (e - a) / static_cast<double>(m), next, reach) >
        0.25 * share)
      break;
    group = next;
  }
  n = (n + group - 1) / group * group;
  PulseSteps out{
      .steps = steps_of(wave, waves, a, e, reach, n), .dt = (e - a) / static_cast<double>(n), .group = group};
  out.error_bound =
      error_of(out.steps, out.dt, reach) + (group > 1 ? relaxation_error(out.steps, out.dt, group, reach) : 0);
  return out;
}

void put_steps(const PulseSteps& pulse, Segment& s, std::vector<RfStep>& out) {
  const auto& steps = pulse.steps;
  s.first = static_cast<int>(out.size()), s.count = static_cast<int>(steps.size());
  s.dt = static_cast<float>(pulse.dt);
  s.relax_every = static_cast<int>(pulse.group);
  std::array<double, 3> direction{};
  double strongest = 0;
  for (const auto& step : steps)
    if (const double g = std::hypot(step.g[0], step.g[1], step.g[2]); g > strongest) {
      strongest = g;
      for (std::size_t x = 0; x < 3; ++x) direction[x] = step.g[x] / g;
    }
  bool one = true;
  double b_most = 0, g_most = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& g = steps[i].g;
    const double along = g[0] * direction[0] + g[1] * direction[1] + g[2] * direction[2];
    double off = 0;
    for (std::size_t x = 0; x < 3; ++x) off = std::max(off, std::abs(g[x] - along * direction[x]));
    one = one && off <= 1e-9 * strongest;
    RfStep step{};
    step.bx = static_cast<float>(steps[i].b.real()), step.by = static_cast<float>(steps[i].b.imag());
    step.bb = step.bx * step.bx + step.by * step.by;
    step.along = static_cast<float>(along);
    for (std::size_t x = 0; x < 3; ++x) {
      step.g[x] = static_cast<float>(g[x]);
      step.gv[x] = static_cast<float>(g[x] * (static_cast<double>(i) + 0.5) * pulse.dt);
      g_most = std::max(g_most, std::abs(g[x]));
    }
    b_most = std::max(b_most, std::abs(steps[i].b));
    out.push_back(step);
  }
  s.one_direction = one;
  s.b_most = static_cast<float>(b_most), s.g_most = static_cast<float>(one ? strongest : g_most);
  for (std::size_t x = 0; x < 3; ++x) s.direction[x] = direction[x];
}

}  // namespace larmor::sim
