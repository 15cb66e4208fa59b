// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

// What is wired to the repeated port; a list on a wire counts as its items.
std::vector<Gridded> parts(flow::Ports& io) {
  std::vector<Gridded> out;
  for (const auto& wire : io.all("in"))
    for (const auto& item : flow::ValueTraits<flow::Value::List>::from(wire))
      out.push_back(flow::ValueTraits<Gridded>::from(item));
  if (out.empty()) throw Error(Errc::usage, "the list on port 'in' is empty", "give one array at least");
  return out;
}
std::vector<Array> data_of(const std::vector<Gridded>& parts) {
  std::vector<Array> out;
  for (const auto& p : parts) out.push_back(p.data);
  return out;
}

void concatenate(flow::Ports& io) {
  const auto all = parts(io);
  const std::string axis = io.setting("axis");
  Gridded out = all[0];
  out.data = nd::concatenate(data_of(all), axis, &io.cancel());
  if (out.geometry && axis == "t") {
    auto& times = out.geometry->times;
    for (std::size_t k = 1; k < all.size(); ++k) {
      const auto more = all[k].geometry ? all[k].geometry->times : std::vector<double>{};
      times.insert(times.end(), more.begin(), more.end());
    }
  }
  Array data = out.data;
  io.out("out") = out.with(std::move(data));
}

void stack(flow::Ports& io) {
  const auto all = parts(io);
  io.out("out") = all[0].with(nd::stack(data_of(all), io.setting("axis"), &io.cancel()));
}

}  // namespace

/// array.concatenate and array.stack.
void register_array_join(flow::NodeTypes& nodes) {
  nodes.add("array.concatenate",
            flow::NodeType{.title = "Concatenate",
                           .does = "Joins arrays along an axis that they have",
                           .help = "The other axes must agree by name and extent. The place in space is that of the "
                                   "first; acquisition times are joined.",
                           .tags = {"join", "append"}}
                .in<flow::Value>("in", "arrays, or a list of them", {.repeated = true})
                .out<Gridded>("out", "one array")
                .set({"axis", "axis to join along", "t"})
                .run(concatenate));
  nodes.add("array.stack",
            flow::NodeType{
                .title = "Stack", .does = "Joins arrays of one shape along a new axis", .tags = {"join", "collect"}}
                .in<flow::Value>("in", "arrays, or a list of them", {.repeated = true})
                .out<Gridded>("out", "one array with a new last axis")
                .set({"axis", "name of the new axis", "t"})
                .run(stack));
}

}  // namespace larmor::nodes
