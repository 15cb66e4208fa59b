// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/sequence.hpp>

namespace larmor::recon {

/// What the gradient system can do. Magnitudes are those of the vector, so that a trajectory may be turned at will.
struct GradientLimits {
  double max_gradient = 0.030;  // [T/m]
  double max_slew = 120;        // [T/m/s]
  /// Greatest rate at which the gradient vector turns, over 2 pi [Hz]; 0: none.
  double max_frequency = 0;
  double raster = 10e-6;  // [s]; a waveform is linear between the points of its raster
  double gamma = proton_gamma;

  double max_speed() const { return gamma * max_gradient; }     // of k [1/m/s]
  double max_acceleration() const { return gamma * max_slew; }  // of k [1/m/s2]
  /// Errors   Errc::range, naming the limit
  void check() const;
};

}  // namespace larmor::recon
