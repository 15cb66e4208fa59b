// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>
#include <larmor/perfusion/dsc/relaxation.hpp>
#include <limits>

namespace larmor::dsc {

FirstPass first_pass(const Array& curves, std::span<const double> times, double arrival,
                     std::span<const std::uint8_t> mask, double cut, const Progress& progress, const Cancel* cancel) {
  if (!(cut > 0 && cut < 1))
    throw Error(Errc::range, fmt::format("a cut at {} of the peak", cut), "give a share above 0 and below 1");
  if (curves.rank() < 1 || curves.extent(curves.rank() - 1) != std::ssize(times))
    throw Error(Errc::shape, fmt::format("{} times for curves of {}", times.size(), to_string(curves.shape())));
  const auto mean = mean_curve(curves, mask);
  const auto peak = static_cast<std::size_t>(std::max_element(mean.begin(), mean.end()) - mean.begin());
  std::size_t n = peak + 1;
  while (n < mean.size() && mean[n] > cut * mean[peak]) ++n;
  n = std::min(n + 1, mean.size());
  if (n < 5)
    throw Error(Errc::range, fmt::format("{} frames up to the end of the first pass", n),
                "give a series with at least 5, or leave the gamma variate out");
  FirstPass out;
  out.frames = static_cast<int>(n);
  std::vector<double> design;
  for (std::size_t i = 0; i < n; ++i) design.push_back(times[i] - arrival);
  const fit::CurveModel& model = gamma_variate();
  const auto fitted = fit::fit_curves(model, curves.range(curves.rank() - 1, 0, static_cast<std::int64_t>(n)), design,
                                      {}, mask, {.max_iterations = 60, .tolerance = 1e-3}, progress, cancel);
  out.status = fitted.status;
  const std::size_t n_voxels = fitted.status.size(), frames = times.size();
  out.curves = Array::uninitialised(DType::f32, curves.shape(), curves.axes());
  float* to = out.curves.data<float>();
  parallel_for(
      n_voxels, 512,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t v = begin; v < end; ++v)
          for (std::size_t t = 0; t < frames; ++t) {
            float& y = to[t * n_voxels + v];
            y = std::numeric_limits<float>::quiet_NaN();
            if (!fit::usable(fitted.status[v])) continue;
            const float u = (static_cast<float>(times[t] - arrival) - fitted.values[1][v]) / fitted.values[2][v];
            y = u > 0 ? fitted.values[0][v] * std::exp(fitted.values[3][v] * (std::log(u) + 1 - u)) : 0.0f;
          }
      },
      cancel);
  return out;
}

std::vector<double> first_pass(std::span<const double> curve, std::span<const double> times, double arrival,
                               double cut) {
  const std::vector<float> y(curve.begin(), curve.end());
  const FirstPass p = first_pass(Array::from<float>(y, {1, std::ssize(y)}), times, arrival, {}, cut);
  if (!fit::usable(p.status[0]))
    throw Error(Errc::numeric, fmt::format("no gamma variate fits the arterial input: {}", fit::explain(p.status[0])),
                "leave the gamma variate out, or choose another artery");
  const auto values = p.curves.span<float>();
  return {values.begin(), values.end()};
}

}  // namespace larmor::dsc
