// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

using Maker = Array (*)(const Array&, const Array&, const Cancel*);

void compute(flow::Ports& io, const char* first, const char* second, Maker make) {
  const auto a = io.in<Gridded>(first);
  const auto b = io.has(second) ? io.in<Gridded>(second) : flow::ValueTraits<Gridded>::from(flow::Value(0.0));
  io.out("out") = place_of(a, b).with(make(a.data, b.data, &io.cancel()));
}

}  // namespace

/// complex.make and complex.from_polar.
void register_complex_make(flow::NodeTypes& nodes) {
  nodes.add("complex.make", flow::NodeType{.title = "Complex from parts",
                                           .does = "Makes complex numbers of their real and imaginary parts",
                                           .help = "$z = a + i b$"}
                                .in<Gridded>("real", "real part")
                                .maybe<Gridded>("imag", "imaginary part; 0 when nothing is wired")
                                .out<Gridded>("out", "complex, the axes of both")
                                .run([](flow::Ports& io) { compute(io, "real", "imag", nd::make_complex); }));
  nodes.add("complex.from_polar", flow::NodeType{.title = "Complex from magnitude and phase",
                                                 .does = "Makes complex numbers of their magnitude and phase",
                                                 .help = "$z = r e^{i \\varphi}$"}
                                      .in<Gridded>("magnitude", "magnitude")
                                      .maybe<Gridded>("phase", "phase [rad]; 0 when nothing is wired")
                                      .out<Gridded>("out", "complex, the axes of both")
                                      .run([](flow::Ports& io) { compute(io, "magnitude", "phase", nd::from_polar); }));
}

}  // namespace larmor::nodes
