// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

void derived(flow::Ports& io) {
  const auto in = io.in<ParameterMaps>("maps");
  const auto& model = dce::models().get(io.setting("model").str());
  if (model.derived.empty())
    throw Error(Errc::usage, fmt::format("nothing derives from the parameters of {}", model.title),
                "choose a model with derived quantities (larmor list models)");
  std::vector<std::span<const float>> params;
  for (const auto& p : model.params) {
    const auto& m = in.get(p.name);
    if (m.unit != p.unit)
      throw Error(Errc::usage, fmt::format("{} is in {} and not in {}", p.name, m.unit, p.unit),
                  "give maps in engine units, as fits make them");
    params.push_back(m.values.span<const float>());
  }
  ParameterMaps out;
  out.reference = in.reference, out.meta = in.meta;
  for (const auto& d : model.derived) {
    std::vector<float> values(params[0].size());
    parallel_for(values.size(), 4096, [&](std::size_t begin, std::size_t end) {
      std::vector<double> p(params.size());
      for (std::size_t v = begin; v < end; ++v) {
        for (std::size_t i = 0; i < p.size(); ++i) p[i] = static_cast<double>(params[i][v]);
        const double value = d.value(p);
        values[v] = std::isfinite(value) ? static_cast<float>(value) : std::nanf("");
      }
    });
    out.maps.push_back(dce::make_map(d.name, d.unit, d.title, values, {}, in.get(model.params[0].name).values.shape()));
  }
  io.out("maps") = out;
}

}  // namespace

void register_dce_derived(flow::NodeTypes& nodes) {
  nodes.add(
      "dce.derived",
      flow::NodeType{.title = "Derived quantities",
                     .does = "Quantities that follow from a model's parameters: kep, E, MTT, ...",
                     .help = "Fits give them already, with standard errors; this is for maps from elsewhere.",
                     .tags = {"DCE", "kep", "MTT", "extraction"}}
          .in<ParameterMaps>("maps", "parameters of the model, engine units")
          .out<ParameterMaps>("maps", "the derived ones")
          .set(flow::Setting::choice("model", "whose parameters they are", "dce.extended_tofts", dce::models().ids()))
          .run(derived));
}

}  // namespace larmor::nodes
