// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/place.hpp>

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

// Where a part should lie to go on where those before it end: `before` voxels along the axis.
void require_place(const std::vector<Gridded>& all, const std::string& axis) {
  if (!all[0].geometry) return;
  std::int64_t before = all[0].data.extent(need_axis(all[0].data, axis));
  for (std::size_t k = 1; k < all.size(); ++k) {
    const auto& part = all[k];
    const std::int64_t n = part.data.extent(need_axis(part.data, axis));
    if (part.geometry) {
      Image expected = along({part.data, all[0].geometry}, part.data, axis, static_cast<double>(before), 1).image();
      require_same_place(expected, part.image(), "what would follow array " + std::to_string(k),
                         "array " + std::to_string(k + 1));
    }
    before += n;
  }
}

void concatenate(flow::Ports& io) {
  const auto all = parts(io);
  const std::string axis = io.setting("axis");
  Gridded out = all[0];
  out.data = nd::concatenate(data_of(all), axis, &io.cancel());
  require_place(all, axis);
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
  Array data = nd::stack(data_of(all), io.setting("axis"), &io.cancel());
  for (std::size_t k = 1; k < all.size(); ++k)
    if (all[0].geometry && all[k].geometry)
      require_same_place(all[0].image(), all[k].image(), "array 1", "array " + std::to_string(k + 1));
  io.out("out") = all[0].with(std::move(data));
}

}  // namespace

/// array.concatenate and array.stack.
void register_array_join(flow::NodeTypes& nodes) {
  nodes.add("array.concatenate",
            flow::NodeType{.title = "Concatenate",
                           .does = "Joins arrays along an axis that they have",
                           .help = "The other axes must agree by name and extent. The place in space is that of the "
                                   "first, and each image must go on where the one before it ends; acquisition times "
                                   "are joined.",
                           .version = 2,
                           .tags = {"join", "append"}}
                .in<flow::Value>("in", "arrays, or a list of them", {.repeated = true})
                .out<Gridded>("out", "one array")
                .set({"axis", "axis to join along", "t"})
                .run(concatenate));
  nodes.add("array.stack", flow::NodeType{.title = "Stack",
                                          .does = "Joins arrays of one shape along a new axis",
                                          .version = 2,
                                          .tags = {"join", "collect"}}
                               .in<flow::Value>("in", "arrays, or a list of them", {.repeated = true})
                               .out<Gridded>("out", "one array with a new last axis")
                               .set({"axis", "name of the new axis", "t"})
                               .run(stack));
}

}  // namespace larmor::nodes
