// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/fit/param.hpp>
#include <limits>

namespace larmor::fit {
namespace {

void apply(const ParamSetting& set, Param& p, LmOptions& o, std::size_t i, double& start) {
  const auto finite = [&](double v, const char* what) {
    if (!std::isfinite(v)) throw Error(Errc::range, fmt::format("{}: {} is {}", p.name, what, v));
    return v;
  };
  if (set.lower) p.lower = finite(*set.lower, "lower bound");
  if (set.upper) p.upper = finite(*set.upper, "upper bound");
  if (!(p.lower < p.upper) && !set.fixed)
    throw Error(Errc::range,
                fmt::format("{}: the lower bound {:g} is not below the upper bound {:g} [{}]", p.name, p.lower, p.upper,
                            p.unit),
                "widen the bounds, or fix the parameter");
  if (set.start) {
    start = finite(*set.start, "start");
    if (start < p.lower || start > p.upper)
      throw Error(Errc::range, fmt::format("{}: the start {:g} is outside the bounds {:g} to {:g} [{}]", p.name, start,
                                           p.lower, p.upper, p.unit));
  }
  if (set.fixed) {
    const double v = finite(*set.fixed, "fixed value");
    o.fixed[i] = true, p.lower = p.upper = p.start = start = v;
  }
  if (set.prior_mean || set.prior_sd) {
    if (!set.prior_mean || !set.prior_sd || !(*set.prior_sd > 0) || (set.prior_log && !(*set.prior_mean > 0)))
      throw Error(Errc::range, fmt::format("{}: a prior needs a mean and a standard deviation above 0", p.name),
                  "give both; for a log-normal prior the mean (median) is above 0 and the sd is of ln");
    o.prior_mean[i] = set.prior_log ? std::log(*set.prior_mean) : *set.prior_mean;
    o.prior_weight[i] = 1 / (*set.prior_sd * *set.prior_sd);
    o.prior_log[i] = set.prior_log;
  }
}

}  // namespace

LmOptions apply_settings(const ParamSettings& settings, const std::string& model, std::vector<Param>& params,
                         std::vector<double>& starts) {
  std::vector<std::string> names;
  for (const auto& p : params) names.push_back(p.name);
  for (const auto& [name, setting] : settings)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw unknown_name("parameter of " + model, name, names);
  LmOptions o{};
  starts.assign(params.size(), std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < params.size(); ++i) {
    const double typical = std::abs(params[i].start);
    o.floor[i] = 1e-3 * (typical > 0 ? typical : 1.0);
    if (const auto set = settings.find(params[i].name); set != settings.end())
      apply(set->second, params[i], o, i, starts[i]);
    o.lower[i] = params[i].lower, o.upper[i] = params[i].upper;
  }
  return o;
}

void use_prior(LmOptions& o, const std::vector<Param>& params, double noise_sd) {
  o.use_prior = true, o.sigma2 = noise_sd * noise_sd;
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (o.prior_weight[i] > 0 || o.fixed[i]) continue;
    const Param& p = params[i];
    o.prior_log[i] = p.lower >= 0 && p.start > 0 && p.name != "delay";
    const double sd = o.prior_log[i] ? 1.5 : 0.5 * (p.upper - p.lower);
    o.prior_mean[i] = o.prior_log[i] ? std::log(p.start) : p.start;
    o.prior_weight[i] = 1 / (sd * sd);
  }
}

}  // namespace larmor::fit
