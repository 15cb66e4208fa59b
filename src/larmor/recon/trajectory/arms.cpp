// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/trajectory/arms.hpp>
#include <numbers>

namespace larmor::recon {

Vec3 operator*(const Matrix3& m, const Vec3& v) { return {dot(m[0], v), dot(m[1], v), dot(m[2], v)}; }

Matrix3 operator*(const Matrix3& a, const Matrix3& b) {
  Matrix3 out{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
  return out;
}

Matrix3 turned_about_z(double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  return {Vec3{c, -s, 0}, Vec3{s, c, 0}, Vec3{0, 0, 1}};
}

Matrix3 cycled_axes(int steps) {
  Matrix3 out{};
  for (std::size_t i = 0; i < 3; ++i) out[(i + static_cast<std::size_t>(steps)) % 3][i] = 1;
  return out;
}

ArmOrder arm_order(std::string_view name) {
  if (name == "against") return ArmOrder::against;
  if (name == "with") return ArmOrder::with;
  if (name == "golden") return ArmOrder::golden;
  throw unknown_name("order of arms", name, std::vector<std::string>{"against", "with", "golden"});
}

std::vector<double> arm_angles(std::int64_t n, ArmOrder order) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < n; ++i) {
    const auto x = static_cast<double>(i);
    const double even = 2 * std::numbers::pi * x / static_cast<double>(n);
    out.push_back(order == ArmOrder::golden ? std::fmod(x * golden_angle_centre_out, 2 * std::numbers::pi)
                  : order == ArmOrder::with ? even
                                            : -even);
  }
  return out;
}

std::vector<Arm> turned_arms(const std::vector<double>& angles) {
  std::vector<Arm> arms;
  for (const double a : angles) arms.push_back({.map = turned_about_z(a)});
  return arms;
}

Waveform waveform_of(std::span<const Waveform> waveforms, const Arm& arm) {
  Waveform out = waveforms[arm.waveform];
  for (auto& g : out.g) g = arm.map * g;
  return out;
}

Trajectory sample_arms(std::span<const Waveform> waveforms, std::span<const Arm> arms, const Sampling& s,
                       std::vector<double> fov, std::vector<std::int64_t> matrix, std::string source) {
  if (s.samples < 1 || arms.empty())
    throw Error(Errc::range, fmt::format("trajectory: {} arms of {} samples", arms.size(), s.samples),
                "give 1 or more");
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (!(std::abs(s.delay[axis]) < 1e-3))
      throw Error(Errc::range,
                  fmt::format("trajectory: the gradient of {} is {:.6g} s late", "xyz"[axis], s.delay[axis]),
                  "give a delay under 1 ms");
  const std::size_t d = fov.size(), n = static_cast<std::size_t>(s.count()), count = arms.size();
  Trajectory out{.k = Array::of<double>({s.count(), static_cast<std::int64_t>(count), static_cast<std::int64_t>(d)},
                                        {"sample", "arm", "d"}),
                 .matrix = std::move(matrix),
                 .source = std::move(source)};
  // Positions before an arm's map, once for each waveform and each different delay.
  const bool one_delay = s.delay[0] == s.delay[1] && (d == 2 || s.delay[1] == s.delay[2]);
  std::vector<Vec3> places(waveforms.size() * d * n);
  const auto place = [&](std::size_t w, std::size_t axis) { return places.data() + (w * d + axis) * n; };
  parallel_for(waveforms.size(), 4, [&](std::size_t begin, std::size_t end) {
    for (std::size_t w = begin; w < end; ++w) {
      const Positions positions(waveforms[w]);
      for (std::size_t axis = 0; axis < (one_delay ? 1 : d); ++axis)
        for (std::size_t i = 0; i < n; ++i)
          place(w, axis)[i] = positions.at(s.time(static_cast<std::int64_t>(i)) - s.delay[axis]);
    }
  });
  double* k = out.k.data<double>();
  parallel_for(count, 16, [&](std::size_t begin, std::size_t end) {
    for (std::size_t axis = 0; axis < d; ++axis)
      for (std::size_t a = begin; a < end; ++a) {
        const Vec3* from = place(arms[a].waveform, one_delay ? 0 : axis);
        double* to = k + (axis * count + a) * n;
        for (std::size_t i = 0; i < n; ++i)
          to[i] = fov[axis] * (dot(arms[a].map[axis], from[i]) + arms[a].offset[axis]);
      }
  });
  for (std::size_t axis = 0; axis < d; ++axis) {
    double most = 0;
    for (std::size_t i = 0; i < n * count; ++i) most = std::max(most, std::abs(k[axis * n * count + i]));
    if (most > 0.5 * static_cast<double>(out.matrix[axis]))
      out.matrix[axis] = 2 * static_cast<std::int64_t>(std::ceil(most * (1 - 1e-9)));
    out.fov.push_back(1e3 * fov[axis]);
  }
  for (std::int64_t i = 0; i < s.count(); ++i) out.times.push_back(s.echo_time + s.time(i) - s.centre);
  out.check();
  return out;
}

Trajectory sample_arms(const ArmWaveforms& w, std::vector<std::int64_t> matrix, std::string source) {
  return sample_arms(w.waveforms, w.arms, w.sampling, w.fov, std::move(matrix), std::move(source));
}

}  // namespace larmor::recon
