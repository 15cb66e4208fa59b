// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

Gridded part(const Gridded& in, int axis, const std::string& name, std::int64_t begin, std::int64_t end) {
  return along(in, in.data.range(axis, begin, end).contiguous_copy(), name, static_cast<double>(begin), 1);
}

void split(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string name = io.setting("axis");
  const int axis = need_axis(in.data, name);
  const std::int64_t n = in.data.extent(axis), size = io.setting("size");
  flow::Value::List out;
  for (std::int64_t at = 0; at < n; at += size)
    out.push_back(flow::ValueTraits<Gridded>::to(part(in, axis, name, at, std::min(n, at + size))));
  io.out("out") = out;
}

void split_at(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string name = io.setting("axis");
  const int axis = need_axis(in.data, name);
  const std::int64_t n = in.data.extent(axis), at = io.setting("index");
  if (at < 1 || at >= n)
    throw Error(Errc::range, fmt::format("axis '{}' has {} elements and is to be cut before {}", name, n, at),
                fmt::format("give 1 to {}", n - 1));
  io.out("before") = part(in, axis, name, 0, at);
  io.out("after") = part(in, axis, name, at, n);
}

}  // namespace

/// array.split (a list) and array.split_at (two arrays).
void register_array_split(flow::NodeTypes& nodes) {
  const auto offer = [](flow::Form& form) { offer_axes(form, "in", "axis"); };
  nodes.add("array.split", flow::NodeType{.title = "Split into a list",
                                          .does = "Cuts an array into a list of pieces along an axis",
                                          .tags = {"pieces", "slices", "loop"}}
                               .in<Gridded>("in", "array")
                               .out<flow::Value::List>("out", "list of arrays; the last may be shorter")
                               .set({"axis", "axis to cut", "z"})
                               .set({"size", "elements of a piece", 1, 1})
                               .validate(offer)
                               .run(split));
  nodes.add("array.split_at", flow::NodeType{.title = "Split in two", .does = "Cuts an array in two along an axis"}
                                  .in<Gridded>("in", "array")
                                  .out<Gridded>("before", "elements before the index")
                                  .out<Gridded>("after", "the index and what follows")
                                  .set({"axis", "axis to cut", "t"})
                                  .set({"index", "first element of the second part", 1, 1})
                                  .validate(offer)
                                  .run(split_at));
}

}  // namespace larmor::nodes
