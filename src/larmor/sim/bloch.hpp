// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/data/sequence.hpp>
#include <larmor/sim/program.hpp>
#include <larmor/sim/spins.hpp>
#include <vector>

namespace larmor::sim {

struct BlochOptions {
  CompileOptions compile = {};
  std::uint64_t seed = 1;  // of diffusion
  Device device = {};
  const Array* start = nullptr;  // magnetisation (component, spin) to begin with; null: M0 along z
  bool one_by_one = false;       // on the CPU by the function of a thread of CUDA, a spin at a time: slow, for tests
};

struct BlochResult {
  /// Sum over spins of coil x M_xy, demodulated; c64 (sample, coil), or (sample, readout, coil) when all readouts have
  /// as many samples.
  Array signal;
  Array magnetisation;                             // f32 (component, spin): at the end
  Array record;                                    // f32 (component, spin, t) at record_times; empty when none
  std::vector<double> record_times, sample_times;  // [s]
  std::vector<std::array<double, 3>> sample_k;     // [cycles/mm]
  std::vector<std::int64_t> readouts;
  double duration = 0, error_bound = 0;  // [s]; of the pulses' steps [rad]
  /// Spin-steps done: of pulses, jumps over precession, samples, maps.
  std::int64_t rf_steps = 0, jumps = 0, samples = 0;
  std::int64_t mapped = 0;  // segments that maps took the place of
};

/// Bloch equations of independent spins through a sequence,
///
///   dM/dt = gamma M x B - (Mx, My, 0) / T2 + (0, 0, M0 - Mz) / T1,
///
/// in steps that are exact for a constant field: a rotation between two halves of relaxation during pulses, one closed
/// form for precession of any length under any gradient, flow and diffusion included.
///
/// Results are the same for any number of threads. Errors in f32: about 1e-6 of M0 a hundred pulses, bench/sim prints
/// them; of the steps: CompileOptions::tolerance. Errors   those of Spins::check and compile; Errc::device; cancelled
/// Source   Bloch, Phys. Rev. 70:460 (1946); diffusion: Torrey, Phys. Rev. 104:563 (1956)
BlochResult simulate(const Sequence& sequence, const Spins& spins, const BlochOptions& options = {},
                     const Cancel* cancel = nullptr, const Progress& progress = {});

}  // namespace larmor::sim
