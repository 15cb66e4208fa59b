// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/lm.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace larmor::fit {

/// One parameter of a model, in the engine's units.
struct Param {
  std::string name, unit;  // "Ktrans", "1/s"
  double lower, upper, start;
  std::string title;              // "volume transfer constant"
  std::vector<double> grid = {};  // values that a search for a start tries; empty: `start` alone
};

/// How a parameter is treated; what is not set comes from the model.
struct ParamSetting {
  std::optional<double> fixed = {};  // hold at this value
  std::optional<double> lower = {}, upper = {};
  std::optional<double> start = {};                      // replaces what the search for a start finds
  std::optional<double> prior_mean = {}, prior_sd = {};  // fitter "map": Gaussian; of ln(parameter) when prior_log
  bool prior_log = false;
};
using ParamSettings = std::map<std::string, ParamSetting>;  // by name

/// Bounds, fixed values, priors and floors of the parameters as plain data; `params` take over their bounds, `starts`
/// is NaN where a search decides. Errors   Errc::unknown_name with the nearest, Errc::range with both numbers
LmOptions apply_settings(const ParamSettings& settings, const std::string& model, std::vector<Param>& params,
                         std::vector<double>& starts);

/// Turns the posterior on for noise of the given sd: parameters without a prior of their own get a wide one
/// (log-normal about their start, sd of ln 1.5, where they cannot be negative), so that it is proper.
void use_prior(LmOptions& options, const std::vector<Param>& params, double noise_sd);

}  // namespace larmor::fit
