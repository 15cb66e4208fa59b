// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  auto out = io.in<Gridded>("in");
  for (const auto& name : names_in(io.setting("axes"))) {
    const int axis = need_axis(out.data, name);
    out = along(out, nd::flip(out.data, axis, &io.cancel()), name, static_cast<double>(out.data.extent(axis) - 1), -1);
  }
  io.out("out") = out;
}

}  // namespace

void register_array_flip(flow::NodeTypes& nodes) {
  nodes.add("array.flip",
            flow::NodeType{.title = "Flip",
                           .does = "Turns the order of elements round along axes",
                           .help = "The affine of an image follows: every voxel stays where it is in space. Times "
                                   "follow too.",
                           .tags = {"mirror", "reverse"}}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "the same shape")
                .set({"axes", "axes to turn round, like: x, y", "x"})
                .validate([](flow::Form& form) { offer_axes(form, "in", "axes"); })
                .run(compute));
}

}  // namespace larmor::nodes
