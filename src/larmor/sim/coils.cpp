// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/coils.hpp>
#include <numbers>
#include <vector>

namespace larmor::sim {
namespace {

using Vector = std::array<double, 3>;
constexpr double pi = std::numbers::pi;
// Straight pieces of a loop; with 64 the field at a tenth of the radius from the wire is right to 1 %.
constexpr int pieces = 64;

struct Piece {
  Vector at, along;
};

std::vector<Piece> loop(const CoilRing& ring, int coil) {
  const int a_ring = (ring.n_coils + ring.rings - 1) / ring.rings, row = coil / a_ring;
  const double angle = 2 * pi * (coil % a_ring + 0.5 * (row % 2)) / a_ring;
  const double height = ring.rings == 1 ? 0 : -1 + 2.0 * (row + 0.5) / ring.rings;
  const Vector out{std::cos(angle), std::sin(angle), 0}, side{-std::sin(angle), std::cos(angle), 0};
  std::vector<Piece> all;
  for (int k = 0; k < pieces; ++k) {
    const double phi = 2 * pi * (k + 0.5) / pieces, step = 2 * pi / pieces * ring.radius;
    Piece p;
    for (std::size_t a = 0; a < 3; ++a) {
      const double up = a == 2 ? 1 : 0;
      p.at[a] = ring.distance * out[a] + ring.radius * (std::cos(phi) * side[a] + std::sin(phi) * up) + height * up;
      p.along[a] = step * (-std::sin(phi) * side[a] + std::cos(phi) * up);
    }
    all.push_back(p);
  }
  return all;
}

std::complex<double> field(const std::vector<Piece>& wire, const Vector& r) {
  double bx = 0, by = 0;
  for (const auto& p : wire) {
    const double dx = r[0] - p.at[0], dy = r[1] - p.at[1], dz = r[2] - p.at[2];
    const double rr = dx * dx + dy * dy + dz * dz, cube = std::max(rr * std::sqrt(rr), 1e-6);
    bx += (p.along[1] * dz - p.along[2] * dy) / cube;
    by += (p.along[2] * dx - p.along[0] * dz) / cube;
  }
  return {bx, -by};
}

}  // namespace

Array coil_sensitivities(const CoilRing& ring, const Shape& shape, const Cancel* cancel) {
  if (shape.size() < 2 || shape.size() > 3)
    throw Error(Errc::shape, fmt::format("coils around {}", to_string(shape)), "give two or three extents");
  if (ring.n_coils < 1 || ring.n_coils > 256 || ring.rings < 1 || ring.rings > ring.n_coils)
    throw Error(Errc::range, fmt::format("{} coils in {} rings", ring.n_coils, ring.rings),
                "give 1 to 256 coils, and no more rings than coils");
  if (!(ring.radius > 0) || !(ring.distance >= 0.5) || !std::isfinite(ring.radius + ring.distance))
    throw Error(Errc::range, fmt::format("loops of radius {:g} at {:g}", ring.radius, ring.distance),
                "give a positive radius and a distance of 0.5 or more; the field of view is [-1, 1)");
  Shape full = shape;
  Axes axes{"x", "y", "z"};
  axes.resize(shape.size());
  full.push_back(ring.n_coils), axes.emplace_back("coil");
  Array out = Array::uninitialised(DType::c64, full, axes);
  std::vector<std::vector<Piece>> wires;
  double middle = 0;
  for (int c = 0; c < ring.n_coils; ++c) {
    wires.push_back(loop(ring, c));
    middle += std::norm(field(wires.back(), {0, 0, 0}));
  }
  const double scale = 1 / std::sqrt(middle);
  const std::int64_t voxels = out.size() / ring.n_coils;
  parallel_for(
      static_cast<std::size_t>(out.size()), 256,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t p = first; p < last; ++p) {
          auto at = static_cast<std::int64_t>(p) % voxels;
          Vector r{};
          for (std::size_t a = 0; a < shape.size(); ++a)
            r[a] = 2.0 * static_cast<double>(at % shape[a] - shape[a] / 2) / static_cast<double>(shape[a]),
            at /= shape[a];
          const auto v = scale * field(wires[p / static_cast<std::size_t>(voxels)], r);
          out.data<std::complex<float>>()[p] = std::complex<float>(v);
        }
      },
      cancel);
  return out;
}

}  // namespace larmor::sim
