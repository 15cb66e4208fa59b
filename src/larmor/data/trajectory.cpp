// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/data/trajectory.hpp>
#include <string_view>

namespace larmor {
namespace {

template <class T>
void check_coordinates(const Array& k, const std::vector<std::int64_t>& matrix) {
  const Array packed = k.contiguous_copy();
  const auto values = packed.span<const T>();
  const std::size_t n = values.size() / matrix.size();
  for (std::size_t d = 0; d < matrix.size(); ++d) {
    const double half = static_cast<double>(matrix[d]) / 2;
    // f32 coordinates round at 6e-8 of their size; a generator may sit on the edge itself.
    const double most = half * (1 + 1e-6);
    for (std::size_t i = 0; i < n; ++i) {
      const auto v = static_cast<double>(values[d * n + i]);
      if (!std::isfinite(v))
        throw Error(Errc::range, fmt::format("trajectory: k{} of sample {} is {}", "xyz"[d], i, v),
                    "give finite positions [cycles/FOV]");
      if (std::abs(v) > most)
        throw Error(
            Errc::range,
            fmt::format("trajectory: k{} of sample {} is {:.6g} cycles/FOV, beyond +-{:.6g} (0.5 cycles/pixel of {})",
                        "xyz"[d], i, v, half, matrix[d]),
            fmt::format("give a matrix of at least {} along {}, or positions in cycles/FOV",
                        static_cast<std::int64_t>(std::ceil(2 * std::abs(v))), "xyz"[d]));
    }
  }
}

}  // namespace

Axes Trajectory::sample_axes() const { return {k.axes().begin(), k.axes().end() - 1}; }
Shape Trajectory::sample_shape() const { return {k.shape().begin(), k.shape().end() - 1}; }

void Trajectory::check() const {
  if (k.dtype() != DType::f32 && k.dtype() != DType::f64)
    throw Error(Errc::type, "trajectory: positions are " + k.describe(), "give f32 or f64");
  if (k.size() == 0)
    throw Error(Errc::shape, "trajectory: there are no samples, positions are " + k.describe(),
                "give (sample, arm, ..., d) with one sample or more");
  if (k.rank() < 2 || (dimensions() != 2 && dimensions() != 3))
    throw Error(Errc::shape, "trajectory: positions are " + k.describe(),
                "give (sample, arm, ..., d) with 2 or 3 coordinates along the last axis");
  const auto need = [&](std::string_view what, std::size_t n) {
    if (n != static_cast<std::size_t>(dimensions()))
      throw Error(Errc::shape, fmt::format("trajectory: {} {} for {} coordinates", n, what, dimensions()));
  };
  need("matrix sizes", matrix.size());
  if (!fov.empty()) need("fields of view", fov.size());
  for (const auto n : matrix)
    if (n < 1) throw Error(Errc::range, fmt::format("trajectory: a matrix of {}", n), "give 1 or more");
  for (const auto f : fov)
    if (!(f > 0)) throw Error(Errc::range, fmt::format("trajectory: a field of view of {} mm", f), "give more than 0");
  if (!times.empty() && static_cast<std::int64_t>(times.size()) != k.extent(0))
    throw Error(Errc::shape, fmt::format("trajectory: {} times for {} samples an arm", times.size(), k.extent(0)));
  k.dtype() == DType::f32 ? check_coordinates<float>(k, matrix) : check_coordinates<double>(k, matrix);
}

void require_same_samples(const Trajectory& traj, const Array& data, const std::string& name) {
  const Shape need = traj.sample_shape();
  for (std::size_t i = 0; i < need.size(); ++i)
    if (static_cast<std::size_t>(data.rank()) < need.size() || data.shape()[i] != need[i])
      throw Error(Errc::shape,
                  fmt::format("{} are {} and the trajectory has {} samples", name, data.describe(), to_string(need)),
                  "give data whose first axes are those of the trajectory (sample, arm, ...)");
}

}  // namespace larmor
