// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {

void register_complex_split(flow::NodeTypes& nodes) {
  nodes.add(
      "complex.split",
      flow::NodeType{.title = "Complex parts", .does = "Gives real part, imaginary part, magnitude and phase at once"}
          .in<Gridded>("in", "array; real numbers have imaginary part 0")
          .out<Gridded>("real", "real part")
          .out<Gridded>("imag", "imaginary part")
          .out<Gridded>("magnitude", "magnitude")
          .out<Gridded>("phase", "phase in (-pi, pi] [rad]")
          .run([](flow::Ports& io) {
            const auto in = io.in<Gridded>("in");
            const auto part = [&](nd::Unary op) { return in.with(nd::apply(op, in.data, &io.cancel())); };
            io.out("real") = part(nd::Unary::real);
            io.out("imag") = part(nd::Unary::imag);
            io.out("magnitude") = part(nd::Unary::abs);
            io.out("phase") = part(nd::Unary::phase);
          }));
}

}  // namespace larmor::nodes
