// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/dce_ports.hpp>

namespace larmor::nodes {

using flow::Setting;

std::vector<Setting> fit_settings() {
  return {Setting::choice("fitter", "how: bounded Levenberg-Marquardt, linear, or with priors", "fitter.lm",
                          dce::fitters().ids()),
          {"fit_delay", "fit the arrival of the bolus in the tissue as one more parameter", false},
          std::move(Setting::numbers("delay_bounds", "lower and upper bound of a fitted delay", {0, 15})).in("s"),
          Setting{"delay", "delay of the tissue after the artery when it is not fitted", 0.0, -60, 120}.in("s"),
          {"max_iterations", "iterations before a voxel counts as not converged", 500, 1, 10000},
          {"tolerance", "relative step of the parameters that counts as converged", 1e-6, 1e-12, 0.1},
          [] {
            Setting s{"noise_sd", "noise of the concentration for fitter.map; empty: from a first fit", 0.0, 1e-9, 100};
            s.value = {};
            return std::move(s).in("mM").or_none();
          }(),
          Setting::numbers("skip_frames", "frames left out of the fit, counted from 0", {}),
          Setting{"params",
                  "single parameters: 'Ktrans: upper=2 1/min, start=0.1; vp: fixed=0.02'; settings fixed, lower, "
                  "upper, start, prior_mean, prior_sd, prior_log",
                  ""}
              .lines()};
}

dce::FitOptions fit_options(const flow::Ports& io, std::int64_t frames) {
  dce::FitOptions f;
  f.fitter = io.setting("fitter").str();
  f.fit_delay = io.setting("fit_delay");
  const auto bounds = io.setting("delay_bounds").numbers();
  if (bounds.size() != 2 || !(bounds[0] < bounds[1]))
    throw Error(Errc::usage, "'delay_bounds' is not [lower, upper]", "give two numbers [s], the lower one first");
  f.delay_lower = bounds[0], f.delay_upper = bounds[1];
  f.delay = io.setting("delay");
  f.max_iterations = static_cast<int>(io.setting("max_iterations"));
  f.tolerance = io.setting("tolerance");
  if (const auto noise = io.setting("noise_sd"); noise.given()) f.noise_sd = static_cast<double>(noise);
  const auto skip = io.setting("skip_frames").numbers();
  if (!skip.empty()) {
    f.use_frame.assign(static_cast<std::size_t>(frames), 1);
    for (const double i : skip) {
      if (!(i >= 0 && i < static_cast<double>(frames)) || i != std::floor(i))
        throw Error(Errc::usage, fmt::format("'skip_frames' names frame {} of {} (counted from 0)", i, frames),
                    fmt::format("give 0 to {}", frames - 1));
      f.use_frame[static_cast<std::size_t>(i)] = 0;
    }
  }
  f.params = parse_param_settings(io.setting("params"));
  f.device = io.device();
  return f;
}

void adapt_fit(flow::Form& form) {
  if (form.setting("fitter").str() != "fitter.map") form.hide("noise_sd");
  form.hide(static_cast<bool>(form.setting("fit_delay")) ? "delay" : "delay_bounds");
  if (form.setting("fitter").str() == "fitter.linear") form.hide("max_iterations"), form.hide("tolerance");
}

}  // namespace larmor::nodes
