// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/waveform.hpp>

namespace larmor::recon {
namespace {

constexpr std::size_t most_rasters = 1'000'000;
// A distance in k that is nothing but roundings [1/m]: a millionth of a cycle over a metre.
constexpr double no_distance = 1e-6;

/// Rasters of the ramp that carry most area in a lobe of n: the height is what the ramp reaches, up to the limit.
std::size_t best_ramp(std::size_t n, const GradientLimits& limits) {
  const double full = limits.max_gradient / (limits.max_slew * limits.raster);
  const auto whole = static_cast<std::size_t>(std::ceil(full * (1 - 1e-12)));
  const std::size_t half = n / 2;
  // Between the last ramp that is too short for the full height and the first that is not, the longer one may lose
  // more flat top than it wins in height.
  std::size_t best = 0;
  double most = -1;
  for (const std::size_t ramp : {std::min(std::max<std::size_t>(whole, 2) - 1, half), std::min(whole, half)}) {
    if (ramp == 0) continue;
    const double height = std::min(limits.max_gradient, limits.max_slew * limits.raster * static_cast<double>(ramp));
    const double area = height * static_cast<double>(n - ramp) * limits.raster;
    if (area > most) most = area, best = ramp;
  }
  return best;
}

}  // namespace

double max_lobe_area(std::size_t n, const GradientLimits& limits) {
  if (n < 2) return 0;
  const std::size_t ramp = best_ramp(n, limits);
  const double height = std::min(limits.max_gradient, limits.max_slew * limits.raster * static_cast<double>(ramp));
  return height * static_cast<double>(n - ramp) * limits.raster;
}

Lobe shortest_lobe(double area, const GradientLimits& limits) {
  if (!(area > 0)) return {};
  // Areas that only roundings part from what n rasters can do.
  const double need = area * (1 - 1e-12);
  std::size_t low = 1, high = 2;
  while (max_lobe_area(high, limits) < need) {
    low = high, high *= 2;
    if (high > most_rasters)
      throw Error(Errc::range,
                  fmt::format("trajectory: an area of {:.4g} T s/m takes more than {} rasters of {:.4g} s under the "
                              "gradient limit of {:.4g} T/m and the slew rate limit of {:.4g} T/m/s",
                              area, most_rasters, limits.raster, limits.max_gradient, limits.max_slew),
                  "raise the limit, or ask for a coarser resolution");
  }
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (max_lobe_area(middle, limits) < need ? low : high) = middle;
  }
  return {.length = high, .ramp = best_ramp(high, limits)};
}

void append_lobe(Waveform& waveform, const Vec3& area, std::size_t length, const GradientLimits& limits) {
  if (length < 2) return;
  const std::size_t ramp = best_ramp(length, limits);
  const Vec3 height = (1 / (static_cast<double>(length - ramp) * waveform.raster)) * area;
  for (std::size_t i = 1; i <= length; ++i) {
    const std::size_t edge = std::min(i, length - i);
    waveform.g.push_back(std::min(1.0, static_cast<double>(edge) / static_cast<double>(ramp)) * height);
  }
}

void ramp_down(Waveform& waveform, const GradientLimits& limits) {
  if (waveform.g.empty()) return;
  const Vec3 last = waveform.g.back();
  const auto n = static_cast<std::size_t>(std::ceil(norm(last) / (limits.max_slew * limits.raster) * (1 - 1e-12)));
  for (std::size_t i = 1; i <= n; ++i)
    waveform.g.push_back((1 - static_cast<double>(i) / static_cast<double>(n)) * last);
}

void rewind(Waveform& waveform, const GradientLimits& limits) {
  const Vec3 area = -1.0 * waveform.moment0();
  if (norm(area) * waveform.gamma < no_distance) return;
  append_lobe(waveform, area, shortest_lobe(norm(area), limits).length, limits);
}

void rewind_both(Waveform& waveform, const GradientLimits& limits) {
  const Vec3 m0 = waveform.moment0(), m1 = waveform.moment1();
  const double end = waveform.duration(), raster = limits.raster;
  if (std::max(norm(m0), norm(m1) / std::max(end, raster)) * waveform.gamma < no_distance) return;
  // A symmetric lobe of area A counts in moment 1 as A at its middle.
  const auto second = [&](std::size_t d1, std::size_t d2) {
    const double middle1 = end + 0.5 * static_cast<double>(d1) * raster;
    const double apart = 0.5 * static_cast<double>(d1 + d2) * raster;
    return (1 / apart) * (middle1 * m0 - m1);
  };
  for (std::size_t sum = 4; sum < most_rasters; ++sum)
    for (std::size_t d1 = 2; d1 + 2 <= sum; ++d1) {
      const Vec3 a2 = second(d1, sum - d1), a1 = -1.0 * m0 - a2;
      if (norm(a2) > max_lobe_area(sum - d1, limits) || norm(a1) > max_lobe_area(d1, limits)) continue;
      append_lobe(waveform, a1, d1, limits);
      append_lobe(waveform, a2, sum - d1, limits);
      return;
    }
  throw Error(Errc::range, "trajectory: no two lobes bring both moments to zero under the slew rate limit",
              "raise the slew rate or the gradient limit");
}

}  // namespace larmor::recon
