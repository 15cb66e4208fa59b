// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <larmor/recon/trajectory/limits.hpp>
#include <vector>

namespace larmor::recon {

using Vec3 = std::array<double, 3>;
double norm(const Vec3& v);
double dot(const Vec3& a, const Vec3& b);
Vec3 operator+(const Vec3& a, const Vec3& b);
Vec3 operator-(const Vec3& a, const Vec3& b);
Vec3 operator*(double s, const Vec3& v);

/// A gradient vector against time: g[i] at i raster [T/m], linear between, 0 outside.
struct Waveform {
  double raster = 10e-6;
  double gamma = proton_gamma;
  std::vector<Vec3> g = {};

  double duration() const { return g.empty() ? 0 : static_cast<double>(g.size() - 1) * raster; }
  /// Integral of g dt [T s/m] and of g t dt, t from the first point [T s2/m].
  Vec3 moment0() const;
  Vec3 moment1() const;
  double max_gradient() const;  // of the magnitude, at the points
  double max_slew() const;      // between them
};

/// k(t) = gamma integral of g dt [1/m], exact for the piecewise linear gradient: 0 before it, at rest after it.
class Positions {
 public:
  explicit Positions(const Waveform& waveform, const Vec3& start = {});
  Vec3 at(double t) const;
  const std::vector<Vec3>& points() const { return k_; }  // at the raster

 private:
  const Waveform* waveform_;
  std::vector<Vec3> k_;
};

/// A trapezoid of whole rasters: up in `ramp`, flat, down in `ramp`; `length` in all.
struct Lobe {
  std::size_t length = 0, ramp = 0;
};
/// Greatest area [T s/m] of a lobe of n rasters; 0 under two.
double max_lobe_area(std::size_t n, const GradientLimits& limits);
/// The shortest lobe with an area. Errors   Errc::range, naming the limits, when it takes more than a million rasters
Lobe shortest_lobe(double area, const GradientLimits& limits);
/// Appends a lobe of `length` rasters; the waveform ends at 0 before and after.
void append_lobe(Waveform& waveform, const Vec3& area, std::size_t length, const GradientLimits& limits);

/// Takes the last gradient to 0 along its own direction, as fast as the slew rate allows, in whole rasters.
void ramp_down(Waveform& waveform, const GradientLimits& limits);
/// Brings moment0 to 0 by one lobe, from a waveform that ends at 0.
void rewind(Waveform& waveform, const GradientLimits& limits);
/// Brings moment0 and moment1 to 0 by two lobes of the shortest sum.
void rewind_both(Waveform& waveform, const GradientLimits& limits);

}  // namespace larmor::recon
