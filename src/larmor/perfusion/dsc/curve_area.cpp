// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dsc/curve_area.hpp>

namespace larmor::dsc {

std::vector<float> CurveArea::moment_weights() const {
  std::vector<float> w;
  for (std::size_t i = 0; i < weight.size(); ++i) w.push_back(static_cast<float>(weight[i] * since[i]));
  return w;
}

CurveArea curve_area(std::span<const double> times, std::span<const double> aif, double arrival, Rule rule) {
  CurveArea a;
  const std::size_t n = times.size();
  const double step = (times.back() - times.front()) / static_cast<double>(n - 1);
  std::size_t first = 0;
  while (first + 2 < n && times[first + 1] <= arrival - step) ++first;
  a.weight.assign(n, 0.0);
  for (std::size_t i = first; i < n; ++i) {
    const bool end = rule == Rule::trapezoid && (i == first || i + 1 == n);
    a.weight[i] = end ? 0.5 * step : step;
  }
  for (std::size_t i = 0; i < n; ++i) a.since.push_back(times[i] - arrival);
  for (std::size_t i = 0; i < n; ++i)
    a.aif_area += a.weight[i] * aif[i], a.aif_moment += a.weight[i] * a.since[i] * aif[i];
  if (!(a.aif_area > 0) || !std::isfinite(a.aif_area))
    throw Error(Errc::numeric, fmt::format("the arterial input has an area of {:g}", a.aif_area),
                "give an input that rises, and check the baseline");
  a.aif_moment /= a.aif_area;
  return a;
}

}  // namespace larmor::dsc
