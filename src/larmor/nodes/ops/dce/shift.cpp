// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::nodes {

void register_dce_shift(flow::NodeTypes& nodes) {
  nodes.add("dce.shift",
            flow::NodeType{.title = "Delay a curve",
                           .does = "Moves an input curve to later times, at the same samples",
                           .help = "Cubic interpolation between samples; the first value stands before the first.",
                           .tags = {"AIF", "delay", "DCE"}}
                .in<Aif>("in", "concentration [mM]")
                .out<Aif>("out", "the same, later")
                .set(flow::Setting{"delay", "to later times; earlier when negative", 0.0, -300, 300}.in("s"))
                .run([](flow::Ports& io) { io.out("out") = dce::shifted(io.in<Aif>("in"), io.setting("delay")); }));
}

}  // namespace larmor::nodes
