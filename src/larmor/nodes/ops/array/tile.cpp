// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io, bool each) {
  auto out = io.in<Gridded>("in");
  for (const auto& item : axis_texts(out.data, io.setting("times"))) {
    const auto n = whole(item);
    const double step = 1.0 / static_cast<double>(std::max<std::int64_t>(n, 1));
    out = each ? along(out, nd::repeat(out.data, item.axis, n, &io.cancel()), item.name, (step - 1) / 2, step)
               : along(out, nd::tile(out.data, item.axis, n, &io.cancel()), item.name, 0, 1);
  }
  io.out("out") = out;
}

}  // namespace

/// array.tile and array.repeat.
void register_array_tile(flow::NodeTypes& nodes) {
  nodes.add("array.tile", flow::NodeType{.title = "Tile",
                                         .does = "Puts the whole array several times side by side along axes",
                                         .help = "1 2 becomes 1 2 1 2.",
                                         .tags = {"copies"}}
                              .in<Gridded>("in", "array")
                              .out<Gridded>("out", "more elements along the axes")
                              .set({"times", "copies by axis, like: x=2, y=3", "x=2"})
                              .run([](flow::Ports& io) { compute(io, false); }));
  nodes.add("array.repeat", flow::NodeType{.title = "Repeat elements",
                                           .does = "Repeats every element along axes",
                                           .help = "1 2 becomes 1 1 2 2. The voxels of an image become smaller; its "
                                                   "field of view stays.",
                                           .tags = {"upsample", "enlarge"}}
                                .in<Gridded>("in", "array")
                                .out<Gridded>("out", "more elements along the axes")
                                .set({"times", "repeats by axis, like: x=2, y=3", "x=2"})
                                .run([](flow::Ports& io) { compute(io, true); }));
}

}  // namespace larmor::nodes
