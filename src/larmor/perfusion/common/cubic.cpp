// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/perfusion/common/cubic.hpp>

namespace larmor::perfusion {

CubicCurve::CubicCurve(std::span<const double> times, std::span<const double> values)
    : times_(times.begin(), times.end()), values_(values.begin(), values.end()), slopes_(times.size()) {
  const std::size_t n = times.size();
  const auto secant = [&](std::size_t i) { return (values_[i + 1] - values_[i]) / (times_[i + 1] - times_[i]); };
  for (std::size_t i = 1; i + 1 < n; ++i) {
    const double left = times_[i] - times_[i - 1], right = times_[i + 1] - times_[i];
    slopes_[i] = (secant(i - 1) * right + secant(i) * left) / (left + right);
  }
  if (n == 2) {
    slopes_[0] = slopes_[1] = secant(0);
  } else {
    slopes_[0] = 2 * secant(0) - slopes_[1];
    slopes_[n - 1] = 2 * secant(n - 2) - slopes_[n - 2];
  }
}

std::size_t CubicCurve::cell(double t) const {
  const auto after = std::upper_bound(times_.begin(), times_.end(), t);
  return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(after - times_.begin() - 1, 0, std::ssize(times_) - 2));
}

double CubicCurve::value(double t) const {
  if (t < times_.front()) return 0.0;
  if (t >= times_.back()) return values_.back();
  const std::size_t i = cell(t);
  const double h = times_[i + 1] - times_[i], s = (t - times_[i]) / h, r = 1 - s;
  return values_[i] * (1 + 2 * s) * r * r + h * slopes_[i] * s * r * r + values_[i + 1] * s * s * (3 - 2 * s) -
         h * slopes_[i + 1] * s * s * r;
}

double CubicCurve::slope(double t) const {
  if (t < times_.front() || t >= times_.back()) return 0.0;
  const std::size_t i = cell(t);
  const double h = times_[i + 1] - times_[i], s = (t - times_[i]) / h;
  return 6 * s * (1 - s) * (values_[i + 1] - values_[i]) / h + slopes_[i] * (1 - s) * (1 - 3 * s) +
         slopes_[i + 1] * s * (3 * s - 2);
}

}  // namespace larmor::perfusion
