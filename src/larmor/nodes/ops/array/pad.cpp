// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

nd::Pad mode_of(const std::string& text) {
  return text == "edge"      ? nd::Pad::edge
         : text == "reflect" ? nd::Pad::reflect
         : text == "wrap"    ? nd::Pad::wrap
                             : nd::Pad::constant;
}

void compute(flow::Ports& io) {
  auto out = io.in<Gridded>("in");
  const nd::Pad mode = mode_of(io.setting("mode"));
  for (auto item : axis_texts(out.data, io.setting("by"))) {
    auto after = item;
    if (const auto colon = item.text.find(':'); colon != std::string::npos) {
      after.text = item.text.substr(colon + 1);
      item.text.resize(colon);
    }
    const auto before = whole(item);
    out = along(out, nd::pad(out.data, item.axis, before, whole(after), mode, io.setting("fill"), &io.cancel()),
                item.name, -static_cast<double>(before), 1);
  }
  io.out("out") = out;
}

}  // namespace

void register_array_pad(flow::NodeTypes& nodes) {
  nodes.add("array.pad",
            flow::NodeType{.title = "Pad",
                           .does = "Adds elements before and after along axes; negative numbers cut",
                           .help = "The affine of an image follows: every voxel stays where it is in space.",
                           .tags = {"zero fill", "extend", "margin"}}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "more elements along the axes")
                .set({"by", "elements on both sides, or before:after, like: x=2, y=0:8", "x=1"})
                .set(flow::Setting::choice("mode", "what the new elements hold", "constant",
                                           {"constant", "edge", "reflect", "wrap"}))
                .set({"fill", "value of new elements in mode constant", 0.0})
                .run(compute));
}

}  // namespace larmor::nodes
