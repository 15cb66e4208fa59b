// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>
#include <larmor/perfusion/dsc/kernels/gamma_variate.hpp>
#include <larmor/perfusion/dsc/relaxation.hpp>

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
  std::vector<double> relative;
  for (const double t : times) relative.push_back(t - arrival);
  const std::span<const double> design(relative.data(), n);
  const fit::CurveModel& model = gamma_variate();
  const auto fitted =
      fit::fit_curves(model, curves.range(curves.rank() - 1, 0, static_cast<std::int64_t>(n)), design, {}, mask,
                      {.max_iterations = 60, .tolerance = 2e-3, .match_curvature = true}, progress, cancel);
  out.status = fitted.status;
  const std::size_t n_voxels = fitted.status.size();
  out.curves = Array::uninitialised(DType::f32, curves.shape(), curves.axes());
  const std::vector<float> since(relative.begin(), relative.end());
  const GammaVariateRun run{
      .n = static_cast<std::int64_t>(n_voxels),
      .params = {fitted.values[0].data(), fitted.values[1].data(), fitted.values[2].data(), fitted.values[3].data()},
      .n_times = static_cast<int>(since.size()),
      .times = since.data(),
      .curves = out.curves.data<float>()};
  const GammaVariateKernel draw = gamma_variate_kernel();
  parallel_for(
      n_voxels, 512,
      [&](std::size_t begin, std::size_t end) {
        draw(run, static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end));
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
