// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/nd/resample_weights.hpp>
#include <larmor/core/nd/window.hpp>
#include <numbers>

namespace larmor::nd {
namespace {

const std::string names[] = {"nearest", "linear", "cubic", "sinc"};

// Index beyond the axis: Keys continues the parabola through the three elements at the end.
void add_cubic(Taps& taps, std::int64_t at, double weight, std::int64_t n) {
  const auto add = [&](std::int64_t i, double w) {
    for (int k = 0; k < taps.n; ++k)
      if (taps.at[static_cast<std::size_t>(k)] == i) {
        taps.weight[static_cast<std::size_t>(k)] += w;
        return;
      }
    taps.at[static_cast<std::size_t>(taps.n)] = i;
    taps.weight[static_cast<std::size_t>(taps.n++)] = w;
  };
  if (at < 0) {
    add(0, 3 * weight), add(1, -3 * weight), add(2, weight);
  } else if (at >= n) {
    add(n - 1, 3 * weight), add(n - 2, -3 * weight), add(n - 3, weight);
  } else {
    add(at, weight);
  }
}

}  // namespace

std::span<const std::string> interpolations() { return names; }

Interpolation interpolation_called(const std::string& name) {
  for (std::size_t k = 0; k < std::size(names); ++k)
    if (names[k] == name) return static_cast<Interpolation>(k);
  throw unknown_name("interpolation", name, names);
}

double kernel(Interpolation kind, double x) {
  x = std::abs(x);
  switch (kind) {
    case Interpolation::nearest:
      return x <= 0.5 ? 1 : 0;
    case Interpolation::linear:
      return x < 1 ? 1 - x : 0;
    case Interpolation::cubic:  // Keys' a = -1/2
      return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
    case Interpolation::sinc: {
      if (x == 0) return 1;
      const double p = std::numbers::pi * x;
      return std::sin(p) / p * window_at(Window::kaiser, x / 4, 6);
    }
  }
  return 0;
}

double kernel_radius(Interpolation kind) {
  constexpr double radii[] = {0.5, 1, 2, 4};
  return radii[static_cast<int>(kind)];
}

Taps taps_at(Interpolation kind, double position, std::int64_t n, bool fill_outside) {
  Taps taps;
  const double last = static_cast<double>(n - 1);
  // A rounding of the position must not turn the outermost element into "outside".
  constexpr double slack = 1e-6;
  if (!(position == position) || (fill_outside && (position < -0.5 - slack || position > last + 0.5 + slack)))
    return taps;
  const double x = std::clamp(position, 0.0, last);
  if (kind == Interpolation::nearest || n == 1) {
    taps.n = 1;
    taps.at[0] = std::min(static_cast<std::int64_t>(std::floor(x + 0.5)), n - 1);
    taps.weight[0] = 1;
    return taps;
  }
  const auto low = std::min(static_cast<std::int64_t>(x), n - 2);
  const double part = x - static_cast<double>(low);
  if (kind == Interpolation::linear || (kind == Interpolation::cubic && n < 3)) {
    taps.n = 2;
    taps.at = {low, low + 1}, taps.weight = {1 - part, part};
    return taps;
  }
  if (kind == Interpolation::cubic) {
    for (int k = -1; k <= 2; ++k) add_cubic(taps, low + k, kernel(kind, part - k), n);
    return taps;
  }
  double sum = 0;
  for (int k = -3; k <= 4; ++k) {
    const auto i = static_cast<std::size_t>(std::int64_t{k} + 3);
    taps.at[i] = std::clamp<std::int64_t>(low + k, 0, n - 1);
    sum += taps.weight[i] = kernel(kind, part - k);
  }
  for (double& w : taps.weight) w /= sum;
  taps.n = 8;
  return taps;
}

}  // namespace larmor::nd
