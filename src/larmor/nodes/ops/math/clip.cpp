// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {

void register_math_clip(flow::NodeTypes& nodes) {
  nodes.add("math.clip", flow::NodeType{.title = "Clip",
                                        .does = "Replaces what is below or above a range by its nearer end",
                                        .help = "The type stays, and so does NaN.",
                                        .tags = {"limit", "clamp", "saturate"}}
                             .in<Gridded>("in", "real array")
                             .out<Gridded>("out", "the same shape and type")
                             .set({"low", "smallest value of the result", 0.0})
                             .set({"high", "largest value of the result", 1.0})
                             .run([](flow::Ports& io) {
                               const auto in = io.in<Gridded>("in");
                               io.out("out") =
                                   in.with(nd::clip(in.data, io.setting("low"), io.setting("high"), &io.cancel()));
                             }));
}

}  // namespace larmor::nodes
