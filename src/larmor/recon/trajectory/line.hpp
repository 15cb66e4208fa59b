// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/recon/trajectory/arms.hpp>

namespace larmor::recon {

/// A line through k-space at a constant gradient: n samples 1 / (oversampling fov) apart, number floor(n / 2) at k = 0.
struct LineProtocol {
  double fov = 0.24;         // [m]
  double resolution = 1e-3;  // [m]
  double oversampling = 1;
  double dwell = 5e-6;       // [s]
  bool from_centre = false;  // sampled from k = 0 on, while the gradient rises too
  GradientLimits limits = {};

  std::int64_t matrix() const;   // nominal, even
  std::int64_t samples() const;  // of the line: matrix times oversampling; half of it from the centre
  double gradient() const;       // [T/m]
  /// Errors   Errc::range: the limit that the line breaks, with what it would take
  void check() const;
};

/// One line along x: prewinder, ramp, flat top, ramp and rewinder, with the samples on the flat top. Half a dwell time
/// before the first of them is a whole microsecond, as sequence files want it.
/// `encode` is an area in y and z [T s/m] that the prewinder makes and the rewinder takes back.
struct Line {
  Waveform waveform;
  Sampling sampling;
};
Line design_line(const LineProtocol& protocol, const Vec3& encode = {});

/// Lines of a Cartesian image in y (and z, when there is more than one of them), k of line i at i - floor(n / 2).
/// `order` of lines: as they lie. Arms (line y, fastest, line z).
struct CartesianProtocol {
  LineProtocol line = {};
  double fov_y = 0.24, fov_z = 0;  // [m]; fov_z 0: two axes
  std::int64_t n_y = 240, n_z = 1;
};
ArmWaveforms design_cartesian(const CartesianProtocol& protocol);

/// Echo-planar: lines to and fro in one waveform a shot, shot s takes the lines s, s + shots, ... Samples lie on the
/// flat tops, between them a blip in y. Source   Mansfield, J Phys C 10:L55 (1977)
struct EpiProtocol {
  LineProtocol line = {};
  double fov_y = 0.24;  // [m]
  std::int64_t lines = 64, shots = 1;
  double partial = 1;  // part of the lines that is taken, the last ones: 0.5 < partial <= 1
};
/// One waveform and arm a shot; a run of samples a line, so that positions are (sample of all lines, shot, 2).
ArmWaveforms design_epi(const EpiProtocol& protocol);

}  // namespace larmor::recon
