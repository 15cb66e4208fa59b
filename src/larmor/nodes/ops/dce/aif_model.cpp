// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void aif_model(flow::Ports& io) {
  std::vector<double> times;
  if (io.has("times")) {
    times = io.in<std::vector<double>>("times");
  } else {
    const double step = io.setting("step"), duration = io.setting("duration");
    if (duration < step)
      throw Error(Errc::range, "the duration holds 1 sample", "give a longer duration or a shorter step");
    for (std::size_t i = 0; static_cast<double>(i) * step <= duration * (1 + 1e-12); ++i)
      times.push_back(static_cast<double>(i) * step);
  }
  const double Hct = io.setting("Hct");
  Aif aif = dce::sample_aif(dce::aif_models().get(io.setting("model").str()), times, io.setting("arrival"), Hct);
  if (io.setting("blood")) {
    for (double& c : aif.values) c *= 1 - Hct;
    aif.plasma = false, aif.Hct = 0;
  }
  io.out("aif") = aif;
}

}  // namespace

void register_dce_aif_model(flow::NodeTypes& nodes) {
  std::string from;
  for (const auto& [id, m] : dce::aif_models()) from += (from.empty() ? "" : "; ") + m.source;
  nodes.add("dce.aif_model", flow::NodeType{.title = "Population input",
                                            .does = "A published arterial input function",
                                            .from = from,
                                            .tags = {"AIF", "Parker", "Georgiou", "Weinmann", "DCE"}}
                                 .maybe<std::vector<double>>("times", "when it is wanted [s]; else duration and step")
                                 .out<Aif>("aif", "concentration in plasma (or whole blood) [mM]")
                                 .set(Setting::choice("model", "which curve", "aif.parker", dce::aif_models().ids()))
                                 .set(Setting{"arrival", "when the bolus arrives", 0.0, -600, 3600}.in("s"))
                                 .set(Setting{"Hct", "haematocrit", 0.42, 0, 0.9}.by(0.01))
                                 .set({"blood", "whole blood instead of plasma", false})
                                 .set(Setting{"duration", "length of the curve", 300.0, 0.1, 36000}.in("s"))
                                 .set(Setting{"step", "time between samples", 1.0, 0.01, 600}.in("s"))
                                 .run(aif_model));
}

}  // namespace larmor::nodes
