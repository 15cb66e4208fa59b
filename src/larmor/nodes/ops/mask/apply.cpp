// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/mask.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void apply(flow::Ports& io) {
  const auto in = io.in<Gridded>("in"), mask = io.in<Gridded>("mask");
  Array truth = nd::as_mask(mask.data, &io.cancel());
  if (io.setting("invert")) truth = nd::apply(nd::Unary::logical_not, truth, &io.cancel());
  const Array outside = flow::ValueTraits<Array>::from(io.setting("outside").given() ? io.setting("outside").value()
                                                                                     : flow::Value(std::nan("")));
  const Array chosen = nd::where(truth, in.data, outside, &io.cancel());
  io.out("out") = place_of(in, mask).with(chosen);
}

void combine(flow::Ports& io) {
  const auto a = io.in<Gridded>("a"), b = io.in<Gridded>("b");
  const Array x = nd::as_mask(a.data, &io.cancel());
  Array y = nd::as_mask(b.data, &io.cancel());
  const std::string how = io.setting("how");
  if (how == "a without b") y = nd::apply(nd::Unary::logical_not, y, &io.cancel());
  const auto op = how == "union"      ? nd::Binary::logical_or
                  : how == "only one" ? nd::Binary::logical_xor
                                      : nd::Binary::logical_and;
  io.out("out") = place_of(a, b).with(nd::apply(op, x, y, &io.cancel()));
}

}  // namespace

/// mask.apply and mask.combine.
void register_mask_apply(flow::NodeTypes& nodes) {
  auto outside = flow::Setting{"outside", "value outside the mask; NaN when not set", 0.0};
  nodes.add("mask.apply",
            flow::NodeType{
                .title = "Apply mask", .does = "Keeps values inside a mask", .tags = {"brain", "crop", "background"}}
                .in<Gridded>("in", "array")
                .in<Gridded>("mask", "mask: 0 and not 0; axes it lacks are repeated")
                .out<Gridded>("out", "the same shape")
                .set(std::move(outside).or_none())
                .set({"invert", "keep what is outside", false})
                .run(apply));
  nodes.add("mask.combine",
            flow::NodeType{
                .title = "Combine masks", .does = "Joins or intersects two masks", .tags = {"boolean", "and", "or"}}
                .in<Gridded>("a", "mask: 0 and not 0")
                .in<Gridded>("b", "mask: 0 and not 0")
                .out<Gridded>("out", "boolean")
                .set(flow::Setting::choice("how", "what the result holds", "intersection",
                                           {"intersection", "union", "a without b", "only one"}))
                .run(combine));
}

}  // namespace larmor::nodes
