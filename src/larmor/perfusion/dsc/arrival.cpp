// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/data/aif.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>
#include <vector>

namespace larmor::dsc {

void register_arrivals(ArrivalDetectors& registry);  // generated

const ArrivalDetectors& arrivals() {
  static const ArrivalDetectors all = [] {
    ArrivalDetectors a("arrival detector", "larmor list arrivals");
    register_arrivals(a);
    return a;
  }();
  return all;
}

Rise rise_of(std::span<const double> times, std::span<const double> values) {
  Aif{.times = {times.begin(), times.end()}, .values = {values.begin(), values.end()}, .source = {}}.check();
  Rise r{};
  r.peak = static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
  std::vector<double> steps;
  for (std::size_t i = 1; i < values.size(); ++i) steps.push_back(std::abs(values[i] - values[i - 1]));
  std::nth_element(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), steps.end());
  r.noise = steps[steps.size() / 2] / (0.6745 * std::sqrt(2.0));  // of neighbours' differences, 0.6745: median
  // The level before: the mean of the samples up to where the curve last was below a tenth of its height.
  const double start = values[0];
  std::size_t n = r.peak;
  while (n > 1 && values[n - 1] > start + 0.1 * (values[r.peak] - start)) --n;
  n = std::max<std::size_t>(n, 1);
  for (std::size_t i = 0; i < n; ++i) r.base += values[i] / static_cast<double>(n);
  r.height = values[r.peak] - r.base;
  // The largest of 1000 Gaussian samples is 3.2 sd: 5 is no accident.
  if (r.peak == 0 || !(r.height > 5 * r.noise) || !(r.height > 1e-12 * std::abs(r.base)))
    throw Error(Errc::numeric,
                fmt::format("no bolus arrival: the curve rises by {:.4g} with a noise of {:.4g}", r.height, r.noise),
                "give the arrival or the baseline frames, or a curve that enhances");
  return r;
}

}  // namespace larmor::dsc
