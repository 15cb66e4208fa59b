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

/// One line along x: prewinder, ramp, flat top, ramp and rewinder, with the samples on the flat top.
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
/// flat tops, between them a blip in y; (sample of all lines, shot). Source   Mansfield, J Phys C 10:L55 (1977)
struct EpiProtocol {
  LineProtocol line = {};
  double fov_y = 0.24;  // [m]
  std::int64_t lines = 64, shots = 1;
  double partial = 1;  // part of the lines that is taken, the last ones: 0.5 < partial <= 1
};
struct Epi {
  Waveform waveform;                 // of shot 0; the others start elsewhere in y
  std::vector<Waveform> waveforms;   // one a shot
  std::vector<double> sample_times;  // from a waveform's first point [s]
  double centre = 0;                 // when k = 0 is passed, of the shot that has it [s]
  std::int64_t samples_per_line = 0;
};
Epi design_epi(const EpiProtocol& protocol);
/// Positions (sample, arm, 2) at the times of all lines.
Trajectory sample_epi(const Epi& epi, const EpiProtocol& protocol, const Vec3& delay = {}, double echo_time = 0);

}  // namespace larmor::recon
