// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/curve.hpp>

namespace larmor::nodes {

void register_dce_to_plasma(flow::NodeTypes& nodes) {
  nodes.add("dce.to_plasma",
            flow::NodeType{.title = "Blood to plasma",
                           .does = "Plasma concentration of a whole-blood curve; a plasma curve stays as it is",
                           .help = "$C_p = C_b / (1 - Hct)$",
                           .tags = {"AIF", "haematocrit", "DCE"}}
                .in<Aif>("in", "concentration [mM]")
                .out<Aif>("out", "plasma concentration [mM]")
                .set(flow::Setting{"Hct", "haematocrit", 0.42, 0, 0.9}.by(0.01))
                .run([](flow::Ports& io) { io.out("out") = io.in<Aif>("in").to_plasma(io.setting("Hct")); }));
}

}  // namespace larmor::nodes
