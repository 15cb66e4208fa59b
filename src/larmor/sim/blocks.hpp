// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/sequence.hpp>
#include <memory>
#include <vector>

namespace larmor::sim {

/// What a scanner can do; shapes made here keep to it.
struct GradientLimits {
  double amplitude = 0.04, slew = 150;  // [T/m], [T/m/s]
};

enum class PulseShape { hard, sinc, gauss };

/// A pulse by its flip angle on resonance.
struct PulseSpec {
  PulseShape shape = PulseShape::sinc;
  double FA = 1.5707963267948966;  // [rad]
  double phase = 0;                // [rad]
  double duration = 3e-3;          // [s]
  /// Bandwidth times duration: zero crossings of a sinc; of a Gaussian by its width at half the height.
  double time_bandwidth = 4;
  /// Weight of the cosine in 1 - a + a cos(2 pi t / T), which ends a sinc gently: 0.5 Hann, 0.46 Hamming, 0 none.
  double apodisation = 0.46;
  double frequency = 0;  // [Hz]
  char use = 'e';        // as Rf::use
};
/// Errors   Errc::range: duration, time_bandwidth <= 0, numbers that are not finite, apodisation outside [0, 0.5]
Rf make_pulse(const PulseSpec& spec, double raster = 1e-6, double gamma = proton_gamma);

/// The bandwidth [Hz] for which a slice is `thickness` wide: time_bandwidth / duration, of a hard pulse 1 / duration.
double bandwidth(const PulseSpec& spec);

/// A trapezoid of this area [T s/m], the shortest within the limits, or as long as `duration` when that is not 0.
/// Errors   Errc::range naming the limit that `duration` would break
Gradient trapezoid_of_area(double area, double duration = 0, const GradientLimits& limits = {});
/// A trapezoid whose flat top has this amplitude [T/m] for `flat` [s].
/// Errors   Errc::range: an amplitude above the limit
Gradient trapezoid_of_top(double amplitude, double flat, const GradientLimits& limits = {});

/// A pulse alone, or with the slice gradient along `axis` (0, 1, 2) on its flat top.
/// thickness 0: none [mm]. Errors   Errc::range: thickness < 0, a gradient above the limit (says which thickness would
/// do)
Block pulse_block(const PulseSpec& spec, double thickness = 0, int axis = 2, const GradientLimits& limits = {});
/// Area [T s/m] of what rephases the slice of such a block: minus that from the pulse's centre to its end.
double rephasing_area(const Block& block, int axis = 2);
Block gradient_block(const std::vector<std::pair<int, Gradient>>& axes);
Block delay_block(double duration);
/// Samples over a flat top of `axis`, that span `fov` [mm]; fov 0: no gradient.
Block readout_block(std::int64_t samples, double dwell, double fov = 0, int axis = 0, double phase = 0,
                    const GradientLimits& limits = {});
/// Like delay_block, and transverse magnetisation is gone at its end.
Block spoil_block(double duration);

/// Appends the blocks of `more`.
void append(Sequence& to, const Sequence& more);
/// `times` repeats; pulses and samples of repeat n get the phase increment n (n + 1) / 2 [rad] more (RF spoiling).
/// Source   Zur et al., MRM 21:251 (1991). Errors   Errc::range: times outside 1..1e6, over 1e7 blocks
Sequence repeated(const Sequence& one, int times, double phase_increment = 0, bool alternate = false);

}  // namespace larmor::sim
