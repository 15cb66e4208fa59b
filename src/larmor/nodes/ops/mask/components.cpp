// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/mask.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

nd::Touch touch_of(const std::string& text) {
  return text == "faces" ? nd::Touch::faces : text == "edges" ? nd::Touch::edges : nd::Touch::corners;
}
flow::Setting touch() {
  return flow::Setting::choice("touch", "which neighbours belong together: that share a face, an edge, a corner",
                               "faces", {"faces", "edges", "corners"});
}

void components(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Array labels = nd::components(in.data, touch_of(io.setting("touch")), io.setting("plane"), &io.cancel());
  io.out("count") =
      labels.size() ? *nd::reduce(nd::Reduction::maximum, labels, {}).cast(DType::f64).data<double>() : 0.0;
  io.out("labels") = in.with(std::move(labels));
}

}  // namespace

/// mask.components, largest and fill_holes.
void register_mask_components(flow::NodeTypes& nodes) {
  nodes.add("mask.components", flow::NodeType{.title = "Connected components",
                                              .does = "Labels the pieces of a mask by falling size",
                                              .tags = {"label", "regions", "islands"}}
                                   .in<Gridded>("in", "mask: 0 and not 0, space in the first three axes")
                                   .out<Gridded>("labels", "i32: 1 is the largest piece, 0 background")
                                   .out<double>("count", "number of pieces")
                                   .set(touch())
                                   .set({"plane", "each plane of the first two axes alone", false})
                                   .run(components));
  nodes.add("mask.largest", flow::NodeType{.title = "Largest pieces",
                                           .does = "Keeps the largest pieces of a mask",
                                           .tags = {"component", "island", "clean"}}
                                .in<Gridded>("in", "mask: 0 and not 0, space in the first three axes")
                                .out<Gridded>("out", "boolean, the same shape")
                                .set({"count", "pieces to keep", 1, 1, 1000000})
                                .set({"smallest", "voxels that a piece must have", 1, 1})
                                .set(touch())
                                .run([](flow::Ports& io) {
                                  const auto in = io.in<Gridded>("in");
                                  io.out("out") = in.with(
                                      nd::largest_components(in.data, int(io.setting("count")), io.setting("smallest"),
                                                             touch_of(io.setting("touch")), &io.cancel()));
                                }));
  nodes.add("mask.fill_holes",
            flow::NodeType{
                .title = "Fill holes", .does = "Adds background that the mask encloses", .tags = {"holes", "solid"}}
                .in<Gridded>("in", "mask: 0 and not 0, space in the first three axes")
                .out<Gridded>("out", "boolean, the same shape")
                .set({"plane", "each plane of the first two axes alone", false})
                .run([](flow::Ports& io) {
                  const auto in = io.in<Gridded>("in");
                  io.out("out") = in.with(nd::fill_holes(in.data, io.setting("plane"), &io.cancel()));
                }));
}

}  // namespace larmor::nodes
