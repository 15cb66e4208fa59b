// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/recon/trajectory/path.hpp>
#include <larmor/recon/trajectory/waveform.hpp>
#include <string>
#include <string_view>

namespace larmor::recon {

/// Where the field of view is sampled more thinly: factor 1 up to `begin`, then along a shape to `factor` at `end`,
/// both in parts of the greatest radius.
struct Undersampling {
  enum class Shape { linear, quadratic, hanning };
  double begin = 1, end = 1, factor = 1;
  Shape shape = Shape::linear;

  /// At radius 0..1. Of begin = end it is a step.
  double at(double radius) const;
  double slope(double radius) const;
  /// Errors   Errc::range
  void check() const;
};
/// Errors   Errc::unknown_name, with the nearest
Undersampling::Shape undersampling_shape(std::string_view name);

enum class SpiralDirection { out, in, in_out };
SpiralDirection spiral_direction(std::string_view name);

/// What follows the last sample.
enum class SpiralEnd {
  ramp,         // the gradient goes to zero
  rewind,       // then moment 0 does
  rewind_both,  // then moments 0 and 1 do
  spoil         // the gradient stays on along its direction until the signal is dephased, then goes to zero
};
SpiralEnd spiral_end(std::string_view name);

struct SpiralProtocol {
  double fov = 0.24;         // [m]
  double resolution = 1e-3;  // [m]
  std::int64_t arms = 32;
  double dwell = 5e-6;  // between samples [s]
  GradientLimits limits = {};
  Undersampling undersampling = {};
  SpiralDirection direction = SpiralDirection::out;
  SpiralEnd end = SpiralEnd::rewind;
  /// The gradient grows towards its limit as exp(t / T2_match), so that the density of samples falls as the signal does
  /// and the weights of the reconstruction do not raise its noise [s]; 0: off.
  double T2_match = 0;
  double spoil_cycles = 2;  // per resolution length, of SpiralEnd::spoil
  /// A disc of the radius of half a square is the coarser one: go out to where its area is that of the square, by the
  /// factor 2 / sqrt(pi), and give the image 1.25 times the matrix, so that |k| ends at 0.8 * 2 / sqrt(pi) of its half.
  bool true_resolution = true;
  double radius = 0;  // that the samples reach, in place of what resolution and true_resolution say [cycles/FOV]
  /// Samples that the readout holds at least: it goes on along the same curve where the radius gives fewer, by up to a
  /// tenth of the radius.
  std::int64_t least_samples = 0;

  /// Errors   Errc::range, naming what and the limit
  void check() const;
};

/// Radius that the samples reach [cycles/FOV]: fov / (2 resolution), and of the true resolution the whole number under
/// 2 / sqrt(pi) times that.
double spiral_radius(double fov, double resolution, bool true_resolution);
/// Nominal matrix of the image: fov / resolution, and 1.25 times as many of the true resolution; an even number.
std::int64_t spiral_matrix(double fov, double resolution, bool true_resolution);

/// One arm: a waveform in x and y, and where its parts end [rasters].
struct SpiralDesign {
  Waveform waveform;
  std::size_t readout_begin = 0;  // 0 of SpiralDirection::out; after the prewinder of the others
  std::size_t centre = 0;         // where k = 0: the begin, the end or the middle of the readout
  std::size_t readout_end = 0;    // the last sample comes before it
  std::size_t ramp_end = 0;       // the gradient is zero again
  std::size_t rewind_end = 0;     // and so are the moments that were asked for
  std::int64_t samples = 0;       // whole dwell times in the readout

  double readout_start() const { return static_cast<double>(readout_begin) * waveform.raster; }
  double centre_time() const { return static_cast<double>(centre) * waveform.raster; }
};
/// Archimedean spiral with variable density, as fast as the limits allow.
///
/// Errors   those of SpiralProtocol::check; Errc::range for limits that cannot be met (which)
/// Source   Pipe & Zwart, MRM 71:278 (2014)
SpiralDesign design_spiral(const SpiralProtocol& protocol);

/// The turning rate dtheta/dr of an Archimedean spiral: arms are 1 / FOV apart, times the undersampling.
Winding archimedean(double fov, double arms, double r_max, const Undersampling& undersampling);

}  // namespace larmor::recon
