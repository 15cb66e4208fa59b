// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <complex>
#include <larmor/data/sequence.hpp>
#include <larmor/sim/kernels/bloch_types.hpp>
#include <larmor/sim/spins.hpp>
#include <span>
#include <vector>

namespace larmor::sim {

/// A label that spoils at the end of its block: transverse magnetisation becomes 0, as after a perfect crusher.
inline constexpr const char* spoil_label = "SPOIL";

struct CompileOptions {
  /// Bound on the angle [rad] that the steps of all pulses of one block may be wrong by, for the spin farthest out. A
  /// step takes the exact mean of the pulse and of the gradient; what it misses is the second term of the Magnus
  /// series, |w x dw| / 12 a step, and what splitting relaxation from rotation costs, |w_xy| |w| |R2 - R1| dt / 12.
  /// Errors found are about a tenth of the bound. Rounding in f32 adds some 1e-8 a step, so that below 1e-5 finer steps
  /// gain nothing.
  double tolerance = 1e-4;
  std::vector<double> record_times = {};  // [s], increasing
  bool maps = true;                       // runs of blocks that repeat as one affine map of each spin
};

/// A sequence as the kernels run it, for spins within the bounds that it was made for.
struct Program {
  std::vector<Segment> segments;
  std::vector<RfStep> rf;
  std::vector<AdcStep> adc;
  std::vector<Instance> instances, map_instances;
  std::vector<MapRun> maps;
  std::vector<float> decay_times;

  double duration = 0;
  std::vector<double> record_times;
  // Samples in the order of the sequence.
  std::vector<double> sample_times;                // [s]
  std::vector<std::complex<double>> demodulation;  // factor of each
  std::vector<std::array<double, 3>> sample_k;     // [cycles/mm] from the last excitation, turned over by refocusing
  std::vector<std::int64_t> readouts;              // samples of each ADC
  // For reports.
  double error_bound = 0;                            // sum over pulses [rad]
  std::int64_t rf_steps = 0, jumps = 0, mapped = 0;  // a spin; segments that maps replaced
};

/// What the farthest spin sees.
struct Reach {
  std::array<double, 3> place{}, speed{};  // largest |x| [mm], |v| [mm/s] along each axis
  double df = 0;                           // [Hz]
  double B1 = 1;
  double rate = 0;  // largest |R2 - R1| [1/s]
  bool flowing = false, diffusing = false;
};
Reach reach_of(const Spins& spins);

/// What compile() refuses beside what Sequence::check does.
void check(const Sequence& sequence, const CompileOptions& options);

/// Errors   those of Sequence::check; Errc::range for a sequence without duration, a gradient above 10 T/m, a pulse and
/// samples at once, a tolerance that is not in (0, 0.1], record times outside the sequence or not increasing
Program compile(const Sequence& sequence, const Reach& reach, const CompileOptions& options = {});

}  // namespace larmor::sim
