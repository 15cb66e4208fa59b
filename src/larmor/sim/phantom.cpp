// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/phantom.hpp>
#include <numbers>

namespace larmor::sim {
namespace {

constexpr double pi = std::numbers::pi;

void check(std::span<const Ellipsoid> object, const Shape& shape) {
  bool good = shape.size() == 2 || shape.size() == 3;
  for (const auto n : shape) good = good && n >= 1;
  if (!good)
    throw Error(Errc::shape, fmt::format("a phantom of {}", to_string(shape)),
                "give two or three extents of 1 or more");
  for (const auto& e : object)
    for (std::size_t a = 0; a < shape.size(); ++a)
      if (!(e.semi[a] > 0) || !std::isfinite(e.semi[a]))
        throw Error(Errc::range, fmt::format("an ellipse with a semi-axis of {:g}", e.semi[a]),
                    "give a positive length; the field of view is 2");
}

struct Turned {
  double cos, sin;
  explicit Turned(double angle) : cos(std::cos(angle)), sin(std::sin(angle)) {}
};

double value_at(std::span<const Ellipsoid> object, std::span<const Turned> turns, const std::array<double, 3>& r,
                std::size_t dims) {
  double sum = 0;
  for (std::size_t e = 0; e < object.size(); ++e) {
    const auto& o = object[e];
    const double dx = r[0] - o.centre[0], dy = r[1] - o.centre[1];
    const double u = (turns[e].cos * dx + turns[e].sin * dy) / o.semi[0];
    const double v = (-turns[e].sin * dx + turns[e].cos * dy) / o.semi[1];
    const double w = dims > 2 ? (r[2] - o.centre[2]) / o.semi[2] : 0;
    if (u * u + v * v + w * w <= 1) sum += o.intensity;
  }
  return sum;
}

}  // namespace

Array raster(std::span<const Ellipsoid> object, const Shape& shape, int oversample, const Cancel* cancel) {
  check(object, shape);
  if (oversample < 1 || oversample > 16)
    throw Error(Errc::range, fmt::format("{} points a voxel along each axis", oversample), "give 1 to 16");
  std::vector<Turned> turns;
  for (const auto& o : object) turns.emplace_back(o.angle);
  const std::size_t dims = shape.size();
  Array out = Array::uninitialised(DType::f32, shape);
  std::vector<double> sub;  // within a voxel
  for (int s = 0; s < oversample; ++s) sub.push_back((s + 0.5) / oversample - 0.5);
  const auto place = [&](std::size_t axis, std::int64_t i, double part) {
    return 2 * (static_cast<double>(i - shape[axis] / 2) + part) / static_cast<double>(shape[axis]);
  };
  const std::vector<double> flat{0};
  const auto& sub_z = dims > 2 ? sub : flat;
  const double points = std::pow(oversample, static_cast<double>(dims));
  parallel_for(
      static_cast<std::size_t>(out.size()), 256,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t p = first; p < last; ++p) {
          const auto at = static_cast<std::int64_t>(p);
          const std::int64_t x = at % shape[0], y = at / shape[0] % shape[1], z = at / shape[0] / shape[1];
          double sum = 0;
          for (const double c : sub_z)
            for (const double b : sub)
              for (const double a : sub)
                sum += value_at(object, turns, {place(0, x, a), place(1, y, b), dims > 2 ? place(2, z, c) : 0}, dims);
          out.data<float>()[p] = static_cast<float>(sum / points);
        }
      },
      cancel);
  return out;
}

std::complex<double> transform_at(std::span<const Ellipsoid> object, std::span<const double> k) {
  std::complex<double> sum;
  for (const auto& o : object) {
    const Turned t(o.angle);
    const double u = o.semi[0] * (t.cos * k[0] + t.sin * k[1]), v = o.semi[1] * (-t.sin * k[0] + t.cos * k[1]);
    const double w = k.size() > 2 ? o.semi[2] * k[2] : 0;
    const double K = std::sqrt(u * u + v * v + w * w), x = 2 * pi * K;
    double size;
    // Below the bounds the series: the quotients would lose their digits.
    if (k.size() == 2)
      size = o.semi[0] * o.semi[1] * pi * (x < 1e-3 ? 1 - x * x / 8 : 2 * ::j1(x) / x);
    else
      size = o.semi[0] * o.semi[1] * o.semi[2] * 4 * pi / 3 *
             (x < 1e-2 ? 1 - x * x / 10 + x * x * x * x / 280 : 3 * (std::sin(x) - x * std::cos(x)) / (x * x * x));
    double along = k[0] * o.centre[0] + k[1] * o.centre[1];
    if (k.size() > 2) along += k[2] * o.centre[2];
    sum += o.intensity * size * std::polar(1.0, -2 * pi * along);
  }
  return sum;
}

Array kspace(std::span<const Ellipsoid> object, const Shape& shape, const Cancel* cancel) {
  check(object, shape);
  Array out = Array::uninitialised(DType::c128, shape);
  parallel_for(
      static_cast<std::size_t>(out.size()), 256,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t p = first; p < last; ++p) {
          auto at = static_cast<std::int64_t>(p);
          std::array<double, 3> k{};
          for (std::size_t a = 0; a < shape.size(); ++a)
            k[a] = static_cast<double>(at % shape[a] - shape[a] / 2) / 2, at /= shape[a];
          out.data<std::complex<double>>()[p] = transform_at(object, std::span(k).first(shape.size()));
        }
      },
      cancel);
  return out;
}

double content(std::span<const Ellipsoid> object, int dimensions) {
  double sum = 0;
  for (const auto& o : object)
    sum += o.intensity * pi * o.semi[0] * o.semi[1] * (dimensions > 2 ? 4.0 / 3 * o.semi[2] : 1);
  return sum;
}

std::vector<Ellipsoid> shepp_logan(bool high_contrast) {
  struct Row {
    double high, low, a, b, x, y, degrees;
  };
  static constexpr Row rows[] = {{1, 2, 0.69, 0.92, 0, 0, 0},
                                 {-0.8, -0.98, 0.6624, 0.874, 0, -0.0184, 0},
                                 {-0.2, -0.02, 0.11, 0.31, 0.22, 0, -18},
                                 {-0.2, -0.02, 0.16, 0.41, -0.22, 0, 18},
                                 {0.1, 0.01, 0.21, 0.25, 0, 0.35, 0},
                                 {0.1, 0.01, 0.046, 0.046, 0, 0.1, 0},
                                 {0.1, 0.01, 0.046, 0.046, 0, -0.1, 0},
                                 {0.1, 0.01, 0.046, 0.023, -0.08, -0.605, 0},
                                 {0.1, 0.01, 0.023, 0.023, 0, -0.606, 0},
                                 {0.1, 0.01, 0.023, 0.046, 0.06, -0.605, 0}};
  std::vector<Ellipsoid> out;
  for (const auto& r : rows)
    out.push_back({high_contrast ? r.high : r.low, {r.a, r.b, 1}, {r.x, r.y, 0}, r.degrees * pi / 180});
  return out;
}

std::vector<Ellipsoid> shepp_logan_3d() {
  struct Row {
    double intensity, a, b, c, x, y, z, degrees;
  };
  static constexpr Row rows[] = {{2, 0.69, 0.92, 0.9, 0, 0, 0, 0},
                                 {-0.8, 0.6624, 0.874, 0.88, 0, 0, 0, 0},
                                 {-0.2, 0.41, 0.16, 0.21, -0.22, 0, -0.25, 108},
                                 {-0.2, 0.31, 0.11, 0.22, 0.22, 0, -0.25, 72},
                                 {0.2, 0.21, 0.25, 0.5, 0, 0.35, -0.25, 0},
                                 {0.2, 0.046, 0.046, 0.046, 0, 0.1, -0.25, 0},
                                 {0.1, 0.046, 0.023, 0.02, -0.08, -0.65, -0.25, 0},
                                 {0.1, 0.046, 0.023, 0.02, 0.06, -0.65, -0.25, 90},
                                 {0.2, 0.056, 0.04, 0.1, 0.06, -0.105, 0.625, 90},
                                 {-0.2, 0.056, 0.056, 0.1, 0, 0.1, 0.625, 0}};
  std::vector<Ellipsoid> out;
  for (const auto& r : rows) out.push_back({r.intensity, {r.a, r.b, r.c}, {r.x, r.y, r.z}, r.degrees * pi / 180});
  return out;
}

}  // namespace larmor::sim
