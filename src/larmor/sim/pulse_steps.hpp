// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <complex>
#include <larmor/sim/program.hpp>
#include <larmor/sim/waves.hpp>
#include <vector>

namespace larmor::sim {

/// Gradients of a block.
struct Waves {
  GradientWave g[3];
  explicit Waves(const Block& b, double scale)
      : g{{b.g[0].get(), scale}, {b.g[1].get(), scale}, {b.g[2].get(), scale}} {}
};

/// The mean field of one step of a pulse, as angles.
struct PulseStep {
  std::complex<double> b;   // [rad]
  std::array<double, 3> g;  // [rad/mm]
  double wz = 0;            // of the farthest spin
};

/// A part of a pulse in steps of equal length.
struct PulseSteps {
  std::vector<PulseStep> steps;
  double dt = 0;           // [s]
  std::size_t group = 1;   // steps from relaxation to relaxation
  double error_bound = 0;  // [rad]
};

/// As few steps of the pulse within [a, e] as keep the bound of CompileOptions::tolerance below `share` [rad].
PulseSteps pulse_steps(const RfWave& wave, const Waves& waves, double a, double e, const Reach& reach, double share);

/// Writes them as the kernels take them behind `out`, and what the segment says of them.
void put_steps(const PulseSteps& pulse, Segment& s, std::vector<RfStep>& out);

}  // namespace larmor::sim
