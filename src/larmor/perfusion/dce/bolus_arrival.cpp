// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::dce {
namespace {

double median(std::vector<double> v) {
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

/// Noise sd from the differences of neighbours, which a smooth curve hardly moves (0.6745: median of a unit Gaussian).
double noise_of(std::span<const double> y) {
  std::vector<double> d;
  for (std::size_t i = 1; i < y.size(); ++i) d.push_back(std::abs(y[i] - y[i - 1]));
  return median(d) / (0.6745 * std::sqrt(2.0));
}

/// Residual of: a constant up to `arrival`, then a rise a f(u) + b g(u), u = t - arrival, a and b >= 0, over [0, n).
/// f and g are u and u^2; with enough samples on the rise f levels off at the end, so that concave ones fit too.
double rise_residual(std::span<const double> t, std::span<const double> y, std::size_t n, double arrival) {
  double base = 0, n_base = 0;
  for (std::size_t i = 0; i < n && t[i] <= arrival; ++i) base += y[i], ++n_base;
  base = n_base > 0 ? base / n_base : y[0];
  const double length = t[n - 1] - arrival;
  const bool levels_off = static_cast<double>(n) - n_base >= 4;
  double ff = 0, gg = 0, fg = 0, fy = 0, gy = 0, yy = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double u = std::max(0.0, t[i] - arrival), g = u * u, f = levels_off ? u - g / (2 * length) : u,
                 r = y[i] - base;
    ff += f * f, gg += g * g, fg += f * g, fy += f * r, gy += g * r, yy += r * r;
  }
  const double det = ff * gg - fg * fg;
  if (det > 1e-12 * ff * gg) {
    const double a = (fy * gg - gy * fg) / det, b = (gy * ff - fy * fg) / det;
    if (a >= 0 && b >= 0) return std::max(0.0, yy - a * fy - b * gy);
  }
  double best = yy;  // on an edge of the allowed quarter plane: one of the two alone
  if (fy > 0 && ff > 0) best = std::min(best, yy - fy * fy / ff);
  if (gy > 0 && gg > 0) best = std::min(best, yy - gy * gy / gg);
  return std::max(0.0, best);
}

}  // namespace

double bolus_arrival(std::span<const double> times, std::span<const double> values) {
  Aif{.times = {times.begin(), times.end()}, .values = {values.begin(), values.end()}, .source = {}}.check();
  const auto peak = static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
  const std::size_t n_start = std::min<std::size_t>(3, std::max<std::size_t>(peak, 1));
  double start = 0;
  for (std::size_t i = 0; i < n_start; ++i) start += values[i] / static_cast<double>(n_start);
  const double height = values[peak] - start, noise = noise_of(values);
  // The largest of 1000 Gaussian samples is 3.2 sd: 5 is no accident.
  if (peak == 0 || !(height > 5 * noise) || !(height > 1e-12 * std::abs(start)))
    throw Error(Errc::numeric,
                fmt::format("no bolus arrival: the curve rises by {:.4g} with a noise of {:.4g}", height, noise),
                "give the arrival or the baseline frames, or a curve that enhances");
  std::size_t n = 1;  // the rise is fitted up to half the peak, before it bends over
  while (values[n] < start + 0.5 * height) ++n;
  ++n;

  // Mean of the arrival over its likelihood: where few samples on the rise leave it open it is the middle of what fits.
  const double sigma = std::max(noise, 1e-3 * height);
  constexpr int steps = 50;  // a frame
  std::vector<double> at, residual;
  for (std::size_t i = 0; i + 1 < n; ++i)
    for (int k = 0; k < steps; ++k) at.push_back(times[i] + (times[i + 1] - times[i]) * k / steps);
  for (double a : at) residual.push_back(rise_residual(times, values, n, a));
  const double least = *std::min_element(residual.begin(), residual.end());
  double sum = 0, mean = 0;
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double w = std::exp(-(residual[i] - least) / (2 * sigma * sigma));
    sum += w, mean += w * at[i];
  }
  return mean / sum;
}

}  // namespace larmor::dce
