// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/curve.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void tissue_curve(flow::Ports& io) {
  const auto& model = dce::models().get(io.setting("model").str());
  const auto inputs = plasma_in(io);
  if (static_cast<int>(inputs.size()) < model.n_inputs)
    throw Error(Errc::range, model.title + " takes two inputs and one is wired", "wire the venous curve too");
  const auto times = io.has("times") ? io.in<std::vector<double>>("times") : inputs[0].times;
  const auto p = parse_param_values(io.setting("params"), model);
  Curve out{.x = times,
            .y = {std::vector<double>(times.size())},
            .label = "concentration",
            .unit = "mM",
            .series = {"tissue"}};
  dce::tissue_concentration(model, p, std::span(inputs).first(static_cast<std::size_t>(model.n_inputs)), times,
                            out.y[0], io.setting("delay"));
  io.out("tissue") = out;
}

}  // namespace

void register_dce_tissue_curve(flow::NodeTypes& nodes) {
  std::string from;
  for (const auto& [id, m] : dce::models()) from += (from.empty() ? "" : "; ") + m.source;
  nodes.add("dce.tissue_curve",
            flow::NodeType{.title = "Tissue curve",
                           .does = "Concentration in tissue by a tracer-kinetic model",
                           .from = from,
                           .tags = {"DCE", "simulation", "forward model", "Tofts", "Patlak"}}
                .in<Aif>("aif", "arterial plasma concentration [mM]")
                .maybe<Aif>("venous", "venous plasma concentration [mM], for models with two inputs")
                .maybe<std::vector<double>>("times", "when it is wanted [s]; else the samples of the input")
                .out<Curve>("tissue", "tissue concentration [mM]")
                .set(Setting::choice("model", "which model", "dce.extended_tofts", dce::models().ids()))
                .set({"params",
                      "values of parameters, with or without unit: 'Ktrans=0.25 1/min, ve=0.3'; others at "
                      "the model's start",
                      ""})
                .set(Setting{"delay", "delay of the tissue after the input", 0.0, -60, 120}.in("s"))
                .run(tissue_curve));
}

}  // namespace larmor::nodes
