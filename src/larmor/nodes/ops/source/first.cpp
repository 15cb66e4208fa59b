// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>

namespace larmor::nodes {

void register_source_first(flow::NodeTypes& nodes) {
  nodes.add("source.first",
            flow::NodeType{.title = "First that is there",
                           .does = "Hands on the first of its inputs that holds something",
                           .help = "For data that may be given, with something else to fall back on: wire the input of "
                                   "a graph that is not required to the first port.",
                           .tags = {"default", "fallback", "otherwise", "optional"}}
                .in<flow::Value>("in", "values in the order of preference", {.repeated = true})
                .out<flow::Value>("out", "the first that is there")
                .run([](flow::Ports& io) { io.out("out") = io.all("in").at(0); }));
}

}  // namespace larmor::nodes
