// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {

void register_math_replace_nan(flow::NodeTypes& nodes) {
  nodes.add("math.replace_nan",
            flow::NodeType{.title = "Replace NaN",
                           .does = "Puts numbers in the place of NaN and of infinities",
                           .tags = {"nan", "infinity", "missing"}}
                .in<Gridded>("in", "array; complex numbers by their parts")
                .out<Gridded>("out", "the same shape and type")
                .set({"nan", "in the place of NaN", 0.0})
                .set({"positive", "in the place of +infinity", 0.0})
                .set({"negative", "in the place of -infinity", 0.0})
                .run([](flow::Ports& io) {
                  const auto in = io.in<Gridded>("in");
                  io.out("out") = in.with(nd::replace_nonfinite(in.data, io.setting("nan"), io.setting("positive"),
                                                                io.setting("negative"), &io.cancel()));
                }));
}

}  // namespace larmor::nodes
