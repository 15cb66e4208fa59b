// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  auto out = io.in<Gridded>("in");
  for (const auto& item : axis_texts(out.data, io.setting("size"))) {
    const auto n = whole(item);
    const auto before = nd::resize_before(out.data.extent(item.axis), n);
    out = along(out, nd::resize(out.data, item.axis, n, io.setting("fill"), &io.cancel()), item.name,
                -static_cast<double>(before), 1);
  }
  io.out("out") = out;
}

}  // namespace

void register_array_resize(flow::NodeTypes& nodes) {
  nodes.add("array.resize",
            flow::NodeType{.title = "Crop or pad to size",
                           .does = "Cuts or adds elements at both ends so that the centre stays the centre",
                           .help = "The centre is index $\\lfloor n/2 \\rfloor$, where k = 0 lies in centred k-space. "
                                   "The affine of an image follows.",
                           .tags = {"zero fill", "crop", "pad", "matrix size"}}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "the sizes asked for")
                .set({"size", "elements along axes, like: x=256, y=256", ""})
                .set({"fill", "value of new elements", 0.0})
                .run(compute));
}

}  // namespace larmor::nodes
