// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/perfusion/dce/dro_parts.hpp>
#include <memory>
#include <numbers>

namespace larmor::dce {

DroLayout::DroLayout(std::array<std::int64_t, 3> grid, const std::vector<Quantity>& quantities) : grid_(grid) {
  // Axis of the first, second, ... quantity; the later one of an axis varies within the blocks of the earlier one.
  constexpr std::array<std::size_t, 5> axis_of{0, 1, 2, 0, 1};
  for (std::size_t q = 0; q < quantities.size(); ++q) {
    const std::size_t axis = quantities[q].name == "T10" ? 1 : axis_of[std::min<std::size_t>(q, 4)];
    place_.push_back({axis, static_cast<std::int64_t>(quantities[q].levels.size()), 1});
    for (std::size_t k = 0; k < q; ++k)
      if (place_[k].axis == axis) place_[k].inner *= place_[q].n;
    blocks_[axis] *= place_[q].n;
  }
}

std::int64_t DroLayout::rim(std::size_t axis) const { return std::min<std::int64_t>(2, (grid_[axis] - 1) / 8); }

bool DroLayout::inside(const std::array<std::int64_t, 3>& at) const {
  for (std::size_t a = 0; a < 3; ++a)
    if (at[a] < rim(a) || at[a] >= grid_[a] - rim(a)) return false;
  return true;
}

std::size_t DroLayout::level(std::size_t quantity, const std::array<std::int64_t, 3>& at) const {
  const auto& p = place_[quantity];
  const std::int64_t block = (at[p.axis] - rim(p.axis)) * blocks_[p.axis] / (grid_[p.axis] - 2 * rim(p.axis));
  return static_cast<std::size_t>(block / p.inner % p.n);
}

namespace {
/// 64 bits of (seed, stream, counter), each input bit changing half of them: noise does not depend on threads or order.
std::uint64_t mixed(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  const auto mix = [](std::uint64_t z) {  // SplitMix64
    z += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  };
  return mix(counter ^ mix(stream ^ mix(seed)));
}
}  // namespace

GaussianPair gaussians(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  const std::uint64_t bits = mixed(seed, stream, counter);
  const double u = (static_cast<double>(bits >> 32) + 0.5) * 0x1p-32,
               v = static_cast<double>(bits & 0xFFFFFFFFu) * 0x1p-32;
  const double r = std::sqrt(-2 * std::log(u)), angle = 2 * std::numbers::pi * v;
  return {r * std::cos(angle), r * std::sin(angle)};
}

// On a grid fine enough (20 ms) that cubic interpolation between, with the slope that the equation gives, adds nothing.
std::function<double(double)> portal_of(const std::function<double(double)>& artery, double begin, double end) {
  constexpr double lag = 4, rate = 1.0 / 8, h = 0.02;
  const auto n = static_cast<std::size_t>(std::ceil(std::max(0.0, end - begin) / h)) + 2;
  auto value = std::make_shared<std::vector<double>>(n, 0.0);
  const auto from = [artery, begin](double t) { return artery(t + begin - lag); };
  const double decay = std::exp(-rate * h), half = std::exp(-rate * h / 2);
  for (std::size_t i = 0; i + 1 < n; ++i) {  // Simpson on each step
    const double t = h * static_cast<double>(i);
    (*value)[i + 1] = decay * (*value)[i] + rate * h / 6 * (decay * from(t) + 4 * half * from(t + h / 2) + from(t + h));
  }
  return [value, from, begin](double t) {
    const double x = (t - begin) / h;
    if (!(x > 0)) return 0.0;
    const auto i = std::min(static_cast<std::size_t>(x), value->size() - 2);
    const double u = x - static_cast<double>(i), v = 1 - u, y0 = (*value)[i], y1 = (*value)[i + 1];
    if (y1 == 0) return 0.0;
    const double s0 = h * rate * (from(h * static_cast<double>(i)) - y0),
                 s1 = h * rate * (from(h * static_cast<double>(i + 1)) - y1);
    return v * v * (1 + 2 * u) * y0 + u * u * (1 + 2 * v) * y1 + u * v * (v * s0 - u * s1);
  };
}

}  // namespace larmor::dce
