// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cmath>
#include <larmor/data/sequence.hpp>
#include <numbers>

namespace larmor::sim::test {

struct Tissue {
  double T1, T2, df = 0;
  std::array<double, 3> at{};  // [mm]
};

/// The Bloch equations by the classical method of Runge and Kutta in double, written from their definition: knows
/// nothing of rotations, splitting or jumps. `step` [s] divides the raster of the pulses.
inline std::array<double, 3> bloch_ode(const Sequence& sequence, const Tissue& t, double step) {
  using V = std::array<double, 3>;
  const double turn = 2 * std::numbers::pi;
  V m{0, 0, 1};
  for (const auto& block : sequence.blocks) {
    const auto gradient = [&](double at) {
      double sum = 0;
      for (std::size_t a = 0; a < 3; ++a) {
        if (!block.g[a]) continue;
        const auto c = block.g[a]->corners();
        for (std::size_t i = 0; i + 1 < c.size(); ++i)
          if (at >= c[i].time && at < c[i + 1].time)
            sum += t.at[a] * 1e-3 *
                   (c[i].value + (c[i + 1].value - c[i].value) * (at - c[i].time) / (c[i + 1].time - c[i].time));
      }
      return sum;  // [T]
    };
    const auto rate = [&](double at, double middle, const V& v) {
      double bx = 0, by = 0;  // [rad/s]
      if (block.rf) {
        const auto& rf = *block.rf;
        const double in = middle - rf.delay;
        double b1 = 0, phase = 0;
        if (rf.times.empty()) {
          const auto i = static_cast<long>(std::floor(in / rf.raster));
          if (in >= 0 && i < static_cast<long>(rf.magnitude.size()))
            b1 = rf.magnitude[static_cast<std::size_t>(i)], phase = rf.phase[static_cast<std::size_t>(i)];
        } else if (in >= rf.times.front() && in <= rf.times.back()) {
          b1 = rf.magnitude[0], phase = rf.phase[0];  // hard pulses only
        }
        phase += rf.phase_offset + turn * rf.frequency_offset * (at - rf.delay);
        bx = turn * sequence.gamma * b1 * std::cos(phase), by = turn * sequence.gamma * b1 * std::sin(phase);
      }
      const double bz = turn * (t.df + sequence.gamma * gradient(at));
      return V{v[1] * bz - v[2] * by - v[0] / t.T2, v[2] * bx - v[0] * bz - v[1] / t.T2,
               v[0] * by - v[1] * bx - (v[2] - 1) / t.T1};
    };
    const auto n = static_cast<long>(std::llround(block.duration / step));
    for (long i = 0; i < n; ++i) {
      const double h = block.duration / static_cast<double>(n), at = static_cast<double>(i) * h, mid = at + 0.5 * h;
      const auto plus = [](const V& a, const V& b, double s) {
        return V{a[0] + s * b[0], a[1] + s * b[1], a[2] + s * b[2]};
      };
      const V k1 = rate(at, mid, m), k2 = rate(mid, mid, plus(m, k1, h / 2)), k3 = rate(mid, mid, plus(m, k2, h / 2)),
              k4 = rate(at + h, mid, plus(m, k3, h));
      for (std::size_t c = 0; c < 3; ++c) m[c] += h / 6 * (k1[c] + 2 * k2[c] + 2 * k3[c] + k4[c]);
    }
  }
  return m;
}

}  // namespace larmor::sim::test
