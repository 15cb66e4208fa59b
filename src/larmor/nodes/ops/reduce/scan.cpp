// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/reduce.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {

/// reduce.cumulative_sum and reduce.difference: along one axis, which stays.
void register_reduce_scan(flow::NodeTypes& nodes) {
  const auto offer = [](flow::Form& form) { offer_axes(form, "in", "axis"); };
  nodes.add(
      "reduce.cumulative_sum",
      flow::NodeType{.title = "Cumulative sum", .does = "Sums up to every element along an axis", .tags = {"integral"}}
          .in<Gridded>("in", "array")
          .out<Gridded>("out", "the same shape")
          .set({"axis", "axis to go along", "x"})
          .validate(offer)
          .run([](flow::Ports& io) {
            const auto in = io.in<Gridded>("in");
            const int axis = need_axis(in.data, io.setting("axis"));
            io.out("out") = in.with(nd::cumulative_sum(in.data, axis, &io.cancel()));
          }));
  nodes.add("reduce.difference",
            flow::NodeType{.title = "Difference of neighbours",
                           .does = "Subtracts from every element the one before it along an axis",
                           .tags = {"derivative", "gradient"}}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "one element fewer along the axis; each lies between its two neighbours")
                .set({"axis", "axis to go along", "x"})
                .validate(offer)
                .run([](flow::Ports& io) {
                  const auto in = io.in<Gridded>("in");
                  const std::string axis = io.setting("axis");
                  io.out("out") =
                      along(in, nd::difference(in.data, need_axis(in.data, axis), &io.cancel()), axis, 0.5, 1);
                }));
}

}  // namespace larmor::nodes
