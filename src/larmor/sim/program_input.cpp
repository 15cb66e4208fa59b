// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/sim/alike.hpp>
#include <larmor/sim/program.hpp>
#include <larmor/sim/waves.hpp>

namespace larmor::sim {

Reach reach_of(const Spins& spins) {
  Reach out;
  const std::vector<double>* places[] = {&spins.x, &spins.y, &spins.z};
  const std::vector<double>* speeds[] = {&spins.vx, &spins.vy, &spins.vz};
  for (std::size_t a = 0; a < 3; ++a) {
    for (const double v : *places[a]) out.place[a] = std::max(out.place[a], std::abs(v));
    for (const double v : *speeds[a]) {
      out.speed[a] = std::max(out.speed[a], std::abs(v));
      out.flowing = out.flowing || v != 0;
    }
  }
  for (const double f : spins.df) out.df = std::max(out.df, std::abs(f));
  for (const float b : spins.B1) out.B1 = std::max(out.B1, static_cast<double>(b));
  for (const float d : spins.D) out.diffusing = out.diffusing || d > 0;
  for (std::size_t i = 0; i < spins.size(); ++i)
    out.rate =
        std::max(out.rate, std::abs(1.0 / static_cast<double>(spins.T2[i]) - 1.0 / static_cast<double>(spins.T1[i])));
  return out;
}

void check(const Sequence& sequence, const CompileOptions& options) {
  if (sequence.blocks.empty() || !(sequence.duration() > 0))
    throw Error(Errc::range,
                fmt::format("a sequence of {} blocks and {:g} s", sequence.blocks.size(), sequence.duration()),
                "give at least one block that lasts");
  if (!(options.tolerance > 0 && options.tolerance <= 0.1))
    throw Error(Errc::range, fmt::format("a tolerance of {:g} rad", options.tolerance), "give 1e-7 to 0.1");
  for (std::size_t b = 0; b < sequence.blocks.size(); ++b) {
    const Block& block = sequence.blocks[b];
    for (const auto& g : block.g)
      if (g) {
        const double most = GradientWave(g.get(), 1).largest();
        if (most > 10)
          throw Error(Errc::range, fmt::format("a gradient of {:g} T/m in block {}", most, b),
                      "gradients are in T/m: 40 mT/m is 0.04");
      }
    if (block.rf && block.adc && block.rf->delay < block.adc->duration() - same_time &&
        block.adc->delay < block.rf->duration() - same_time)
      throw Error(Errc::range, fmt::format("a pulse and samples at the same time in block {}", b),
                  "let one begin after the other ends");
  }
  double before = 0;
  for (const double t : options.record_times) {
    if (!(t >= before) || t > sequence.duration() * (1 + 1e-9) + same_time)
      throw Error(
          Errc::range,
          fmt::format("record at {:g} s, after {:g} s, of a sequence of {:g} s", t, before, sequence.duration()),
          "give increasing times within the sequence");
    before = t;
  }
}

}  // namespace larmor::sim
