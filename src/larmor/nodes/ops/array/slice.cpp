// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string name = io.setting("axis");
  const int axis = need_axis(in.data, name);
  const std::int64_t n = in.data.extent(axis), given = io.setting("index"), index = given < 0 ? given + n : given;
  if (index < 0 || index >= n)
    throw Error(Errc::range, fmt::format("index {} of axis '{}', which has {}", given, name, n),
                fmt::format("give {} to {}", -n, n - 1));
  const Array kept = in.data.range(axis, index, index + 1).contiguous_copy();
  const Gridded placed = along(in, kept, name, static_cast<double>(index), 1);
  if (io.setting("keep_axis"))
    io.out("out") = placed;
  else
    io.out("out") = placed.with(kept.slice(axis, 0).contiguous_copy());
}

void adapt(flow::Form& form) {
  offer_axes(form, "in", "axis");
  const Array* in = array_of(form.in("in"));
  if (!in) return;
  for (int i = 0; i < in->rank(); ++i)
    if (in->axes()[static_cast<std::size_t>(i)] == form.setting("axis").str()) {
      form.change("index").lower = -static_cast<double>(in->extent(i));
      form.change("index").upper = static_cast<double>(in->extent(i) - 1);
    }
}

}  // namespace

void register_array_slice(flow::NodeTypes& nodes) {
  nodes.add("array.slice", flow::NodeType{.title = "Slice",
                                          .does = "Takes one index of an axis",
                                          .help = "Negative indices count from the end. Keep the axis of an image's "
                                                  "x, y or z to keep its place in space.",
                                          .tags = {"index", "select", "frame", "coil"}}
                               .in<Gridded>("in", "array")
                               .out<Gridded>("out", "one axis fewer")
                               .set({"axis", "axis to cut across", "z"})
                               .set({"index", "place along the axis, from 0", 0})
                               .set({"keep_axis", "the axis stays, with one element", false})
                               .validate(adapt)
                               .run(compute));
}

}  // namespace larmor::nodes
