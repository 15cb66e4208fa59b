// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/units.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <nlohmann/json.hpp>

#include "catalogue.hpp"
#include "command.hpp"
#include "params_option.hpp"
#include "print_json.hpp"
#include "series_files.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  const std::string id = dce::models().resolve(call.text("--model"));
  const auto& model = dce::models().get(id);
  const double step = call.number("--step"), duration = call.number("--duration");
  if (duration < 2 * step)
    throw Error(Errc::usage,
                fmt::format("larmor sim dce: --duration {} s holds fewer than 3 samples of {} s", duration, step),
                "give a longer duration or a shorter step");
  std::vector<double> times;
  for (std::size_t i = 0; static_cast<double>(i) * step <= duration * (1 + 1e-12); ++i)
    times.push_back(static_cast<double>(i) * step);
  const auto needs = [&](const char* option, bool good, const char* what) {
    if (call.given(option) && !good)
      throw Error(Errc::usage, fmt::format("larmor sim dce: {} does nothing {}", option, what), "leave it out");
  };
  needs("--venous", call.given("--input"), "without --input");
  needs("--venous", model.n_inputs > 1, ("with " + id + ", which has one input").c_str());
  needs("--plasma", call.given("--input"), "without --input");
  needs("--aif", !call.given("--input"), "with --input");
  needs("--arrival", !call.given("--input"), "with --input");
  std::vector<Aif> inputs;
  if (call.given("--input")) {
    inputs.push_back(read_curve(call.text("--input"), 1.0, call.given("--plasma")).to_plasma(call.number("--Hct")));
    if (call.given("--venous"))
      inputs.push_back(read_curve(call.text("--venous"), 1.0, call.given("--plasma")).to_plasma(call.number("--Hct")));
  } else {
    inputs.push_back(
        dce::sampled_for_fit(call.text("--aif"), times, call.number("--arrival"), call.number("--Hct"), 0.25));
  }
  if (static_cast<int>(inputs.size()) < model.n_inputs)
    throw Error(Errc::usage,
                fmt::format("larmor sim dce: {} takes {} inputs, {} given", id, model.n_inputs, inputs.size()),
                "give --input and --venous");
  inputs.resize(static_cast<std::size_t>(model.n_inputs));
  const auto given = read_params(call, "--param", model);
  std::vector<double> p;
  for (const auto& q : model.params) {
    const auto it = given.find(q.name);
    if (it != given.end() && it->second.size() > 1)
      throw Error(Errc::usage, fmt::format("larmor sim dce: {} values of {} for one curve", it->second.size(), q.name),
                  "give one");
    p.push_back(it == given.end() ? q.start : it->second.at(0));
  }
  std::vector<double> c(times.size());
  dce::tissue_concentration(model, p, inputs, times, c, call.number("--delay"));
  const Aif at_frames = dce::resampled(inputs[0], times);
  nlohmann::ordered_json parameters;
  for (std::size_t k = 0; k < p.size(); ++k) {
    const auto& q = model.params[k];
    const std::string unit = units::display_unit(q.name, q.unit);
    parameters[q.name] = {{"value", p[k] * units::factor(q.unit, unit)}, {"unit", unit}};
  }
  print_columns(call, {{"model", id}, {"parameters", parameters}},
                {{.name = "time", .values = times, .key = "time_s"},
                 {.name = "plasma_mM", .values = at_frames.values},
                 {.name = "tissue_mM", .values = c}});
  return 0;
}

}  // namespace

void register_sim_dce(Commands& commands) {
  commands.add({.name = "sim dce",
                .does = "Tissue curve of a tracer-kinetic model, as CSV on stdout",
                .opt = {text("--model", "which model", "dce.extended_tofts").suggest(model_ids),
                        params_option("value of a parameter in the unit of `larmor list models`, or with a unit: "
                                      "Ktrans=0.25 or Fp='0.01 1/s'; default: the model's start"),
                        text("--aif", "population input function", "aif.parker").suggest(aif_ids),
                        file("--input", "measured input as CSV (time [s], concentration [mM]) instead of --aif"),
                        file("--venous", "second input of dual-input models, like --input"),
                        flag("--plasma", "measured inputs are plasma, not whole blood"),
                        number("--arrival", "when the bolus arrives [s]", 20, -600, 3600),
                        number("--Hct", "haematocrit [1]", 0.42, 0, 0.9),
                        number("--delay", "delay of the tissue after the input [s]", 0, -60, 120),
                        number("--duration", "length of the curve [s]", 300, 1, 36000),
                        number("--step", "time between samples [s]", 1, 0.01, 600)},
                .examples = {"larmor sim dce --model 2cxm --param Fp=40 --param PS=10 > curve.csv"},
                .run = run});
}

}  // namespace larmor::cli
