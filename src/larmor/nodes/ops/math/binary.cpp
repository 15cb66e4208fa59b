// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

// What does nothing, where there is such a number.
double neutral(nd::Binary op) {
  switch (op) {
    case nd::Binary::multiply:
    case nd::Binary::divide:
      return 1;
    case nd::Binary::power:
      return 2;
    case nd::Binary::remainder:
      return 1;
    default:
      return 0;
  }
}

void compute(flow::Ports& io, nd::Binary op) {
  const auto a = io.in<Gridded>("a");
  const auto b = flow::ValueTraits<Gridded>::from(io.has("b") ? io.value("b") : io.setting("value").value());
  Array out = nd::apply(op, a.data, b.data, &io.cancel());
  io.out("out") = place_of(a, b).with(std::move(out));
}

}  // namespace

/// math.add, math.less, math.and, ...: one operation for each function of nd::binary_functions().
void register_math_binary(flow::NodeTypes& nodes) {
  for (const auto& f : nd::binary_functions())
    nodes.add(std::string("math.") + f.name,
              flow::NodeType{.title = f.title,
                             .does = std::string("Gives ") + f.what + " for every pair of elements",
                             .help = "Axes are matched by name. An axis that one input lacks, or where it has one "
                                     "element, repeats that input; other extents must agree. Works in f32, in f64 as "
                                     "soon as one input is f64 or i32; a number takes the type of the array.",
                             .tags = {f.what}}
                  .in<Gridded>("a", "array or number")
                  .maybe<Gridded>("b", "array or number; the setting when nothing is wired")
                  .out<Gridded>("out", "the axes of both")
                  .set({"value", "b, when nothing is wired to it", neutral(f.op)})
                  .validate([](flow::Form& form) {
                    if (!form.in("b").none()) form.hide("value");
                  })
                  .run([op = f.op](flow::Ports& io) { compute(io, op); }));
}

}  // namespace larmor::nodes
