// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/edit.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

constexpr double two_pi = 2 * std::numbers::pi;

void grow_matrix(Trajectory& t) {
  const auto d = static_cast<std::size_t>(t.dimensions());
  const std::size_t n = static_cast<std::size_t>(t.size());
  const double* k = t.k.data<double>();
  for (std::size_t axis = 0; axis < d; ++axis) {
    double most = 0;
    for (std::size_t i = 0; i < n; ++i) most = std::max(most, std::abs(k[axis * n + i]));
    if (most > 0.5 * static_cast<double>(t.matrix[axis]))
      t.matrix[axis] = 2 * static_cast<std::int64_t>(std::ceil(most * (1 - 1e-9)));
  }
}

}  // namespace

Trajectory stack(const Trajectory& plane, std::int64_t partitions, double fov_z, double angle) {
  plane.check();
  if (plane.dimensions() != 2)
    throw Error(Errc::shape, fmt::format("stack: a trajectory with {} coordinates", plane.dimensions()),
                "give one in a plane");
  if (partitions < 1 || partitions > 100'000 || !(fov_z > 0) || !std::isfinite(angle))
    throw Error(Errc::range, fmt::format("stack: {} partitions over {:.4g} mm", partitions, fov_z),
                "give 1 or more, and a field of view");
  const Array flat = plane.k.cast(DType::f64).contiguous_copy();
  const std::int64_t n = plane.size();
  Shape shape = plane.sample_shape();
  Axes axes = plane.sample_axes();
  shape.push_back(partitions), axes.emplace_back("partition");
  shape.push_back(3), axes.emplace_back("d");
  Trajectory out{.k = Array(DType::f64, shape, axes),
                 .matrix = plane.matrix,
                 .fov = plane.fov,
                 .times = plane.times,
                 .source = plane.source};
  out.matrix.push_back(partitions);
  if (!out.fov.empty()) out.fov.push_back(fov_z);
  double* k = out.k.data<double>();
  const double *x = flat.data<double>(), *y = x + n;
  const std::int64_t all = n * partitions;
  for (std::int64_t p = 0; p < partitions; ++p) {
    const double a = std::fmod(static_cast<double>(p) * angle, two_pi), c = std::cos(a), s = std::sin(a);
    for (std::int64_t i = 0; i < n; ++i) {
      k[p * n + i] = c * x[i] - s * y[i];
      k[all + p * n + i] = s * x[i] + c * y[i];
      k[2 * all + p * n + i] = static_cast<double>(p - partitions / 2);
    }
  }
  grow_matrix(out);
  out.check();
  return out;
}

Trajectory delayed(const Trajectory& traj, double dwell, const Vec3& delay) {
  traj.check();
  const std::int64_t n = traj.k.extent(0);
  if (n < 3) throw Error(Errc::shape, fmt::format("delay: an arm of {} samples", n), "give 3 or more");
  if (!(dwell > 0) || !std::isfinite(dwell))
    throw Error(Errc::range, fmt::format("delay: a dwell time of {:.6g} s", dwell), "give more than 0");
  Trajectory out = traj;
  const Array from = traj.k.cast(DType::f64).contiguous_copy();
  out.k = from.clone();
  const std::int64_t rows = traj.size() / n;
  for (std::int64_t axis = 0; axis < traj.dimensions(); ++axis) {
    const double late = delay[static_cast<std::size_t>(axis)] / dwell;
    if (!(std::abs(late) <= 0.5 * static_cast<double>(n)))
      throw Error(
          Errc::range,
          fmt::format("delay: {:.6g} s is {:.4g} samples of {}", delay[static_cast<std::size_t>(axis)], late, n),
          "give at most half of an arm");
    for (std::int64_t row = 0; row < rows; ++row) {
      const double* k = from.data<double>() + (axis * rows + row) * n;
      double* to = out.k.data<double>() + (axis * rows + row) * n;
      for (std::int64_t i = 0; i < n; ++i) {
        const double place = static_cast<double>(i) - late;
        const std::int64_t m = std::clamp<std::int64_t>(std::llround(place), 1, n - 2);
        const double u = place - static_cast<double>(m);
        to[i] = k[m] + u * (0.5 * (k[m + 1] - k[m - 1]) + 0.5 * u * (k[m + 1] - 2 * k[m] + k[m - 1]));
      }
    }
  }
  grow_matrix(out);
  out.check();
  return out;
}

KUnit k_unit(std::string_view name) {
  const std::vector<std::string> names{"cycles/FOV", "cycles/pixel", "rad/pixel", "cycles/m"};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i]) return static_cast<KUnit>(i);
  throw unknown_name("unit of k-space", name, names);
}

Trajectory from_positions(const Array& positions, KUnit unit, std::vector<std::int64_t> matrix,
                          std::vector<double> fov) {
  if (positions.dtype() == DType::c64 || positions.dtype() == DType::c128)
    throw Error(Errc::type, "trajectory: positions are " + positions.describe(),
                "give real coordinates along the last axis");
  Trajectory out{
      .k = positions.cast(DType::f64).clone(), .matrix = std::move(matrix), .fov = std::move(fov), .source = "array"};
  Axes axes = out.k.axes();
  if (!axes.empty()) axes.front() = "sample", axes.back() = "d";
  if (axes.size() == 3) axes[1] = "arm";
  out.k = out.k.with_axes(axes);
  const auto d = static_cast<std::size_t>(out.dimensions());
  if (unit == KUnit::cycles_per_metre && out.fov.size() != d)
    throw Error(Errc::usage, fmt::format("trajectory: cycles/m of {} axes with {} fields of view", d, out.fov.size()),
                "give the field of view of each axis [mm]");
  if (out.matrix.size() == d)
    for (std::size_t axis = 0; axis < d; ++axis) {
      const auto n = static_cast<double>(out.matrix[axis]);
      const double scale = unit == KUnit::cycles_per_pixel    ? n
                           : unit == KUnit::radians_per_pixel ? n / two_pi
                           : unit == KUnit::cycles_per_metre  ? 1e-3 * out.fov[axis]
                                                              : 1;
      const auto count = static_cast<std::size_t>(out.size());
      double* k = out.k.data<double>() + axis * count;
      for (std::size_t i = 0; i < count; ++i) k[i] *= scale;
    }
  out.check();
  return out;
}

}  // namespace larmor::recon
