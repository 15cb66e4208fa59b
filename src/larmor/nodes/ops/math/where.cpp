// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto condition = io.in<Gridded>("condition"), a = io.in<Gridded>("a");
  const auto b = flow::ValueTraits<Gridded>::from(io.has("b") ? io.value("b") : io.setting("value").value());
  Array out = nd::where(condition.data, a.data, b.data, &io.cancel());
  io.out("out") = place_of(place_of(a, b), condition).with(std::move(out));
}

}  // namespace

void register_math_where(flow::NodeTypes& nodes) {
  nodes.add("math.where", flow::NodeType{.title = "Choose by condition",
                                         .does = "Takes elements of a where the condition is not 0, else of b",
                                         .tags = {"if", "select", "mask"}}
                              .in<Gridded>("condition", "0 or not 0")
                              .in<Gridded>("a", "array or number")
                              .maybe<Gridded>("b", "array or number; the setting when nothing is wired")
                              .out<Gridded>("out", "the axes of all")
                              .set({"value", "b, when nothing is wired to it", 0.0})
                              .validate([](flow::Form& form) {
                                if (!form.in("b").none()) form.hide("value");
                              })
                              .run(compute));
}

}  // namespace larmor::nodes
