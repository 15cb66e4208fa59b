// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

// Parts of complex numbers stand with the other operations on them.
std::string id_of(nd::Unary op) {
  const bool part =
      op == nd::Unary::real || op == nd::Unary::imag || op == nd::Unary::phase || op == nd::Unary::conjugate;
  return std::string(part ? "complex." : "math.") + nd::info(op).name;
}

}  // namespace

/// math.negate, math.sqrt, ...: one operation for each function of nd::unary_functions().
void register_math_unary(flow::NodeTypes& nodes) {
  for (const auto& f : nd::unary_functions()) {
    std::vector<std::string> aliases;
    if (f.op == nd::Unary::abs) aliases = {"complex.magnitude"};
    nodes.add(id_of(f.op),
              flow::NodeType{.title = f.title,
                             .does = std::string("Gives ") + f.what + " for every element",
                             .help = f.complex_ok ? "Real or complex. A real function is NaN outside its domain."
                                                  : "Real numbers only. NaN outside its domain.",
                             .tags = {f.what}}
                  .in<Gridded>("in", "array of any shape")
                  .out<Gridded>("out", "the same shape")
                  .run([op = f.op](flow::Ports& io) {
                    const auto in = io.in<Gridded>("in");
                    io.out("out") = in.with(nd::apply(op, in.data, &io.cancel()));
                  }),
              aliases);
  }
}

}  // namespace larmor::nodes
