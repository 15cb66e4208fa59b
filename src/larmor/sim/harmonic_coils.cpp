// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/harmonic_coils.hpp>
#include <numbers>

namespace larmor::sim {
namespace {

using C = std::complex<double>;
using F = std::complex<float>;
constexpr double pi = std::numbers::pi;

void check(const HarmonicCoils& coils) {
  if (coils.n_coils < 1 || coils.n_coils > 256 || !(coils.distance >= 0) || !(coils.u > 0) || coils.u > 4)
    throw Error(Errc::range,
                fmt::format("{} coils at {} FOV, u = {} cycles/FOV", coils.n_coils, coils.distance, coils.u),
                "give 1 to 256 coils, a distance of 0 or more, and u of up to 4");
}

// Where a coil stands along x (0) or y (1), and its phase.
struct Coil {
  double p[2], phase;
  Coil(const HarmonicCoils& coils, int c) : phase(2 * pi * c / coils.n_coils) {
    p[0] = coils.distance * std::cos(phase), p[1] = coils.distance * std::sin(phase);
  }
  double factor(int axis, double x, double u) const { return 0.5 + 0.5 * std::cos(2 * pi * u * (x - p[axis])); }
  // Of the wave exp(2 pi i m u x), m = -1, 0, 1.
  C wave(int axis, int m, double u) const {
    return m == 0 ? C(0.5) : 0.25 * std::polar(1.0, -2 * pi * m * u * p[axis]);
  }
};

}  // namespace

Array harmonic_sensitivities(const HarmonicCoils& coils, const Shape& shape) {
  check(coils);
  if (shape.size() < 2 || shape.size() > 3)
    throw Error(Errc::shape, fmt::format("sensitivities over {} axes", shape.size()), "give 2 or 3 extents");
  Shape full = shape;
  full.push_back(coils.n_coils);
  Array out(DType::c64, full, shape.size() == 2 ? Axes{"x", "y", "coil"} : Axes{"x", "y", "z", "coil"});
  const std::int64_t nx = shape[0], ny = shape[1], nz = shape.size() == 3 ? shape[2] : 1;
  F* to = out.data<F>();
  for (int c = 0; c < coils.n_coils; ++c) {
    const Coil coil(coils, c);
    for (std::int64_t i = 0; i < nx * ny * nz; ++i) {
      const double x = static_cast<double>(i % nx - nx / 2) / static_cast<double>(nx),
                   y = static_cast<double>(i / nx % ny - ny / 2) / static_cast<double>(ny);
      *to++ = F(std::polar(coil.factor(0, x, coils.u) * coil.factor(1, y, coils.u), coil.phase));
    }
  }
  return out;
}

Array harmonic_samples(std::span<const Ellipsoid> object, const HarmonicCoils& coils, const Trajectory& traj,
                       const Cancel* cancel) {
  check(coils);
  traj.check();
  if (traj.matrix.empty()) throw Error(Errc::shape, "the trajectory has no matrix size", "give it one");
  const int d = traj.dimensions();
  Shape shape = traj.sample_shape();
  Axes axes = traj.sample_axes();
  shape.push_back(coils.n_coils), axes.emplace_back("coil");
  Array out(DType::c64, shape, axes);
  const Array k = traj.k.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  const std::int64_t n = traj.size();
  // The object's lengths are halves of the field of view: cycles over one of them are half of those over the field.
  double scale = 1;
  for (int a = 0; a < d; ++a) scale *= std::sqrt(static_cast<double>(traj.matrix[static_cast<std::size_t>(a)])) / 2;
  std::vector<C> weights;  // (wave, coil)
  for (int c = 0; c < coils.n_coils; ++c) {
    const Coil coil(coils, c);
    for (int m = -1; m <= 1; ++m)
      for (int l = -1; l <= 1; ++l)
        weights.push_back(scale * std::polar(1.0, coil.phase) * coil.wave(0, m, coils.u) * coil.wave(1, l, coils.u));
  }
  parallel_for(
      static_cast<std::size_t>(n), 256,
      [&](std::size_t begin, std::size_t end) {
        for (auto i = static_cast<std::int64_t>(begin); i < static_cast<std::int64_t>(end); ++i) {
          C seen[9];
          int wave = 0;
          for (int m = -1; m <= 1; ++m)
            for (int l = -1; l <= 1; ++l) {
              double at[3] = {k.data<double>()[i] - m * coils.u, k.data<double>()[i + n] - l * coils.u,
                              d == 3 ? k.data<double>()[i + 2 * n] : 0};
              for (double& v : at) v *= 0.5;
              seen[wave++] = transform_at(object, {at, static_cast<std::size_t>(d)});
            }
          for (int c = 0; c < coils.n_coils; ++c) {
            C sum;
            for (int w = 0; w < 9; ++w) sum += weights[static_cast<std::size_t>(w + 9 * c)] * seen[w];
            out.data<F>()[i + n * c] = F(sum);
          }
        }
      },
      cancel);
  return out;
}

}  // namespace larmor::sim
