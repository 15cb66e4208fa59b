// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/perfusion/dce/checks.hpp>
#include <larmor/perfusion/dce/kernels.hpp>
#include <larmor/perfusion/dce/model.hpp>
#include <larmor/perfusion/dce/time_grid.hpp>

namespace larmor::dce {

void register_dce_models(Models&);

const Models& models() {
  static const Models all = [] {
    Models m("model", "larmor list models");
    register_dce_models(m);
    return m;
  }();
  return all;
}

void check_times(std::span<const double> times, std::string_view what) {
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!std::isfinite(times[i])) throw Error(Errc::range, fmt::format("{}: time {} is not finite", what, i));
    if (i > 0 && !(times[i] > times[i - 1]))
      throw Error(Errc::range,
                  fmt::format("{}: time {} s of frame {} does not follow {} s", what, times[i], i, times[i - 1]),
                  "give strictly increasing times [s]");
  }
}

void check_inputs(const Model& model, std::span<const Aif> inputs) {
  if (static_cast<int>(inputs.size()) != model.n_inputs)
    throw Error(Errc::shape,
                fmt::format("{} takes {} input curve{}, got {}", model.title, model.n_inputs,
                            model.n_inputs == 1 ? "" : "s", inputs.size()),
                model.n_inputs == 2 ? "give the arterial and the portal venous curve" : "give one arterial curve");
  for (const Aif& a : inputs) {
    a.check();
    if (!a.plasma)
      throw Error(Errc::type, "the input curve is whole blood; models take plasma",
                  "convert it with to_plasma(haematocrit)");
  }
}

namespace {

void check_call(const Model& model, std::span<const double> params, std::span<const Aif> inputs,
                std::span<const double> times, std::span<double> out) {
  if (params.size() != model.params.size())
    throw Error(Errc::shape,
                fmt::format("{} parameters for {}, which has {}", params.size(), model.title, model.params.size()));
  if (out.size() != times.size())
    throw Error(Errc::shape, fmt::format("room for {} values at {} times", out.size(), times.size()));
  for (std::size_t i = 0; i < params.size(); ++i)
    if (!std::isfinite(params[i])) throw Error(Errc::range, fmt::format("{} is {}", model.params[i].name, params[i]));
  check_times(times, "times");
  check_inputs(model, inputs);
}

}  // namespace

void tissue_concentration(const Model& model, std::span<const double> params, std::span<const Aif> inputs,
                          std::span<const double> times, std::span<double> out, double delay) {
  check_call(model, params, inputs, times, out);
  if (times.empty()) return;
  const FitKernels& kernels = *model.kernels();
  const TimeGridBuilder grid(times, inputs, delay, kernels.lagged);
  kernels.baseline()->curve[0](grid.view(), delay, params.data(), out.data(), nullptr);
}

void delayed_concentration(const Model& model, std::span<const double> params, std::span<const Aif> inputs,
                           std::span<const double> times, std::span<double> out, double delay) {
  check_call(model, params, inputs, times, out);
  if (times.empty()) return;
  const TimeGridBuilder grid(times, inputs, 0.0, true);
  std::vector<double> all(params.begin(), params.end());
  all.push_back(delay);
  model.kernels()->baseline()->curve[1](grid.view(), 0.0, all.data(), out.data(), nullptr);
}

}  // namespace larmor::dce
