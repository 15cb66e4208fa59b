// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

constexpr DType types[] = {DType::boolean, DType::u8,  DType::i16, DType::i32,
                           DType::f32,     DType::f64, DType::c64, DType::c128};

void cast(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string wanted = io.setting("dtype");
  for (const DType type : types)
    if (to_string(type) == wanted) io.out("out") = in.with(in.data.cast(type));
}

}  // namespace

void register_array_cast(flow::NodeTypes& nodes) {
  std::vector<std::string> names;
  for (const DType type : types) names.emplace_back(to_string(type));
  nodes.add(
      "array.cast",
      flow::NodeType{.title = "Convert type",
                     .does = "Converts the elements of an array to another type",
                     .help = "Integers are rounded to nearest and saturate. Complex to real is an error: take the "
                             "magnitude or a part first."}
          .in<Gridded>("in", "array of any type and shape")
          .out<Gridded>("out", "the same elements")
          .set(flow::Setting::choice("dtype", "type of the result", "f32", names))
          .run(cast));
}

}  // namespace larmor::nodes
