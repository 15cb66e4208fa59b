// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/units.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/perfusion/common/convolution.hpp>

namespace larmor::nodes {
namespace {

void convolve(flow::Ports& io) {
  const Aif in = io.in<Aif>("in");
  Curve out = curve_of(in);
  const double rate = static_cast<double>(io.setting("rate")) * units::per_minute;
  perfusion::convolutions().get(io.setting("method").str()).convolve(in.times, in.values, rate, in.times, out.y[0]);
  out.unit = "mM s", out.series = {"convolved"};
  io.out("out") = out;
}

}  // namespace

void register_dce_convolve(flow::NodeTypes& nodes) {
  using flow::Setting;
  std::string from;
  for (const auto& [id, c] : perfusion::convolutions()) from += (from.empty() ? "" : "; ") + c.source;
  nodes.add("dce.convolve",
            flow::NodeType{.title = "Convolve with an exponential",
                           .does = "Convolution of an input curve with an exponential residue",
                           .from = from,
                           .help = "$g(t) = \\int_{t_0}^{t} c(s)\\,e^{-k (t-s)}\\,ds$",
                           .tags = {"AIF", "residue", "DCE"}}
                .in<Aif>("in", "concentration [mM]")
                .out<Curve>("out", "integral [mM s] at the same times")
                .set(Setting{"rate", "rate constant k of the exponential", 1.0, 0, 6000}.in("1/min"))
                .set(Setting::choice("method", "how", "convolution.exact", perfusion::convolutions().ids()))
                .run(convolve));
}

}  // namespace larmor::nodes
