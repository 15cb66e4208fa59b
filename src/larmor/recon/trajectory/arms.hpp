// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <cstdint>
#include <larmor/core/array.hpp>
#include <larmor/data/trajectory.hpp>
#include <larmor/recon/trajectory/waveform.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::recon {

/// Rows of a rotation (or any linear map) of vectors.
using Matrix3 = std::array<Vec3, 3>;
Vec3 operator*(const Matrix3& m, const Vec3& v);
Matrix3 operator*(const Matrix3& a, const Matrix3& b);
/// Around z, from x to y.
Matrix3 turned_about_z(double angle);
/// x, y, z become y, z, x, `steps` times.
Matrix3 cycled_axes(int steps);

constexpr double golden_ratio = 1.6180339887498948482;
/// pi / golden ratio, 111.246 degrees: for lines through the centre.  Source   Winkelmann et al., IEEE TMI 26:68 (2007)
constexpr double golden_angle = 3.14159265358979323846 / golden_ratio;
/// 2 pi (1 - 1 / golden ratio), 137.508 degrees: for what starts at the centre.
constexpr double golden_angle_centre_out = 2 * 3.14159265358979323846 * (1 - 1 / golden_ratio);

enum class ArmOrder { against, with, golden };
ArmOrder arm_order(std::string_view name);
/// Angles of n arms that start at the centre and turn from x to y: equal steps of -2 pi / n (against their own sense),
/// of +2 pi / n, or golden ones.
std::vector<double> arm_angles(std::int64_t n, ArmOrder order);

/// When samples are taken along a waveform.
struct Sampling {
  std::int64_t samples = 0;  // of a run
  double dwell = 5e-6;       // [s]
  double start = 0;          // of the first sample, after the waveform's first point [s]
  double centre = 0;         // when k = 0, after the waveform's first point [s]
  double echo_time = 0;      // from the excitation to `centre` [s]
  /// How much later than intended the gradient of x, y and z acts; negative: earlier [s].
  Vec3 delay = {};
  /// The first sample of each run, in place of `start`, where several are taken along a waveform (the lines of EPI).
  std::vector<double> runs = {};

  std::int64_t count() const { return samples * static_cast<std::int64_t>(std::max<std::size_t>(1, runs.size())); }
  double time(std::int64_t i) const {  // of sample i of all runs, after the waveform's first point [s]
    const double first = runs.empty() ? start : runs[static_cast<std::size_t>(i / samples)];
    return first + static_cast<double>(i % samples) * dwell;
  }
};

/// An arm: one of several waveforms, mapped.
struct Arm {
  std::size_t waveform = 0;
  Matrix3 map = {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}};
  Vec3 offset = {};  // of k, before the first point [1/m]
};
std::vector<Arm> turned_arms(const std::vector<double>& angles);

/// The gradients of all arms of a trajectory, and when samples are taken.
struct ArmWaveforms {
  std::vector<Waveform> waveforms = {};  // of one raster and length
  std::vector<Arm> arms = {};
  Sampling sampling = {};
  GradientLimits limits = {};
  std::vector<double> fov = {};  // [m], one an axis of the trajectory: 2 or 3
};

/// Positions of all arms: k_d(t) = fov_d times that of the waveform at t - delay_d, in f64 (sample of all runs, arm,
/// d).
///
/// matrix   one an axis; grown to the least even number that holds the positions where it is too small
/// Errors   Errc::range for a sampling without samples, those of Trajectory::check
Trajectory sample_arms(std::span<const Waveform> waveforms, std::span<const Arm> arms, const Sampling& sampling,
                       std::vector<double> fov, std::vector<std::int64_t> matrix, std::string source);
Trajectory sample_arms(const ArmWaveforms& waves, std::vector<std::int64_t> matrix, std::string source);

/// The gradient of an arm, mapped.
Waveform waveform_of(std::span<const Waveform> waveforms, const Arm& arm);

}  // namespace larmor::recon
