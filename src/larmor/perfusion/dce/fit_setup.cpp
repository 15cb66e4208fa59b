// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/perfusion/dce/checks.hpp>
#include <larmor/perfusion/dce/fit_setup.hpp>

namespace larmor::dce {
FitSetup make_setup(const Model& model, std::span<const double> times, std::span<const Aif> inputs,
                    const FitOptions& options) {
  check_times(times, "time axis");
  check_inputs(model, inputs);
  FitSetup s;
  s.model = &model, s.kernels = model.kernels(), s.with_delay = options.fit_delay;

  s.params = model.params;
  if (options.fit_delay) {
    if (!(options.delay_lower < options.delay_upper))
      throw Error(Errc::range,
                  fmt::format("delay bounds {:g} to {:g} s are empty", options.delay_lower, options.delay_upper));
    s.params.push_back({"delay", "s", options.delay_lower, options.delay_upper,
                        std::clamp(1.0, options.delay_lower, options.delay_upper), "arterial delay"});
  }
  auto& o = s.options;
  o = fit::apply_settings(options.params, model.title, s.params, s.start);
  if (options.max_iterations < 1)
    throw Error(Errc::range, fmt::format("{} iterations", options.max_iterations), "allow at least 1");
  if (!(options.tolerance > 0))
    throw Error(Errc::range, fmt::format("a tolerance of {}", options.tolerance), "give a number above 0");
  o.max_iterations = options.max_iterations, o.tolerance = options.tolerance;

  if (!options.use_frame.empty() && options.use_frame.size() != times.size())
    throw Error(Errc::shape, fmt::format("{} frame flags for {} frames", options.use_frame.size(), times.size()));
  for (std::size_t i = 0; i < times.size(); ++i)
    if (options.use_frame.empty() || options.use_frame[i])
      s.frames.push_back(static_cast<int>(i)), s.frame_times.push_back(times[i]);
  std::size_t n_free = 0;
  for (std::size_t i = 0; i < s.params.size(); ++i) n_free += !o.fixed[i];
  if (s.frames.size() < n_free + 1)
    throw Error(Errc::range,
                fmt::format("{} frames for {} free parameters of {}", s.frames.size(), n_free, model.title),
                fmt::format("give at least {} frames, or fix parameters", n_free + 1));

  s.grid = std::make_unique<TimeGridBuilder>(s.frame_times, inputs, options.fit_delay ? 0.0 : options.delay,
                                             s.kernels->lagged || options.fit_delay);
  std::vector<double> delays{s.kernels->lagged && !options.fit_delay ? options.delay : 0.0};
  if (options.fit_delay) {
    // One candidate a median frame, at most 16: half a step from the truth the fit finds its way.
    std::vector<double> steps;
    for (std::size_t i = 1; i < s.frame_times.size(); ++i) steps.push_back(s.frame_times[i] - s.frame_times[i - 1]);
    std::nth_element(steps.begin(), steps.begin() + std::ssize(steps) / 2, steps.end());
    const double range = s.params.back().upper - s.params.back().lower;
    const int n = std::clamp(static_cast<int>(std::ceil(range / steps[steps.size() / 2])) + 1, 2, 16);
    delays.clear();
    for (int i = 0; i < n; ++i) delays.push_back(s.params.back().lower + range * i / (n - 1));
    if (range == 0) delays.resize(1);
  }
  s.dictionary = std::make_unique<DictionaryBuilder>(s.kernels->search, s.grid->view(), delays);
  if (s.dictionary->view().n_candidates == 0)
    throw Error(Errc::range, "the input curve is zero at every frame that is fitted",
                "check the AIF: its times, its unit, its arrival");
  return s;
}

}  // namespace larmor::dce
