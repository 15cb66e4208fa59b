// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/core/array.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace larmor {

/// gamma / 2 pi of the proton [Hz/T] (CODATA 2018).
inline constexpr double proton_gamma = 42.577478518e6;

/// A place of a waveform that is linear between its corners.
struct Corner {
  double time, value;
  bool operator==(const Corner&) const = default;
};

/// One gradient on one axis of a block: a trapezoid, samples at the centres of a raster, or corners.
///
/// Times [s] count from the start of the block and include `delay`; values are in T/m. Before and after its corners a
/// gradient is 0.
struct Gradient {
  struct Trapezoid {
    double amplitude = 0;  // [T/m]
    double rise = 0, flat = 0, fall = 0;
    bool operator==(const Trapezoid&) const = default;
  };
  double delay = 0;
  std::optional<Trapezoid> trapezoid = {};  // none: a waveform
  std::vector<double> values = {};          // [T/m]
  std::vector<double> times = {};           // of the values, after the delay; empty: sample i at (i + 1/2) raster
  double raster = 0;                        // of samples without times
  /// At both ends of samples without times, where no sample lies; none: on the line through the nearest two samples.
  std::optional<double> first = {}, last = {};

  /// The whole waveform as corners, in order, the delay added.
  std::vector<Corner> corners() const;
  double duration() const;  // from the start of the block to the last corner
  bool operator==(const Gradient&) const = default;
};

/// A radio-frequency pulse: B1(t) = magnitude exp(i (phase + phase_offset + 2 pi frequency_offset t)).
struct Rf {
  double delay = 0;
  std::vector<double> magnitude = {};  // [T], >= 0
  std::vector<double> phase = {};      // [rad], as many
  std::vector<double> times = {};      // of the samples, after the delay; empty: sample i at (i + 1/2) raster
  double raster = 0;
  double frequency_offset = 0;  // [Hz]; its phase is 0 at the first sample's edge (after the delay)
  double phase_offset = 0;      // [rad]
  /// What it is for: 'e' excitation, 'r' refocusing, 'i' inversion, 's' saturation, 'p' preparation, 'u' not known.
  char use = 'u';
  std::optional<double> centre =
      {};  // after the delay [s]; none: where the magnitude is greatest (middle of its places)

  double sample_time(std::size_t i) const;  // from the start of the block
  double centre_time() const;               // from the start of the block
  double duration() const;                  // from the start of the block to its end
  /// |2 pi gamma integral B1 dt|, the rotation on resonance of a small or constant-phase pulse [rad].
  double flip_angle(double gamma = proton_gamma) const;
  bool operator==(const Rf&) const = default;
};

/// Samples taken: sample i at delay + (i + 1/2) dwell from the start of the block.
struct Adc {
  std::int64_t samples = 0;
  double dwell = 0, delay = 0;  // [s]
  double frequency_offset = 0;  // [Hz]
  double phase_offset = 0;      // [rad]

  double sample_time(std::int64_t i) const { return delay + (static_cast<double>(i) + 0.5) * dwell; }
  double duration() const { return delay + static_cast<double>(samples) * dwell; }
  bool operator==(const Adc&) const = default;
};

/// A counter that is set or raised at a block ("LIN", "SLC", ...).
struct Label {
  std::string name;
  std::int64_t value = 0;
  bool increment = false;
  bool operator==(const Label&) const = default;
};

/// What happens together. An event that several blocks use is one object; nullptr: none.
struct Block {
  double duration = 0;  // [s], at least that of each event; the rest is waiting
  std::shared_ptr<const Rf> rf = {};
  std::array<std::shared_ptr<const Gradient>, 3> g = {};  // x, y, z
  std::shared_ptr<const Adc> adc = {};
  std::vector<Label> labels = {};
};

/// A pulse sequence: blocks one after the other.
struct Sequence {
  std::vector<Block> blocks = {};
  /// Further facts by name, as texts ("Name", "FOV", "TotalDuration"), in the order of the file.
  std::vector<std::pair<std::string, std::string>> definitions = {};
  double gradient_raster = 10e-6, rf_raster = 1e-6, adc_raster = 100e-9, block_raster = 10e-6;  // [s]
  double gamma = proton_gamma;  // [Hz/T]; with which gradients and pulses were made
  std::string source = {};

  double duration() const;
  std::vector<double> starts() const;  // of the blocks [s]
  const std::string* definition(const std::string& name) const;
  void define(const std::string& name, std::string value);  // adds or replaces
  /// Errors   Errc::range, with the block and the event: times or values that are not finite, a dwell, raster or
  /// duration <= 0 or < 0, times that do not increase, an event that is longer than its block; Errc::shape: counts
  void check() const;
};

/// A gradient on all three axes against time, sampled where each linear piece begins: for pictures and for simulation.
struct GradientTable {
  std::vector<double> times;  // [s] from the start of the sequence, not decreasing; a jump is two of one time
  std::array<std::vector<double>, 3> values;  // [T/m]; linear between
};
/// Errors   those of Sequence::check
GradientTable gradient_table(const Sequence& sequence);

}  // namespace larmor
