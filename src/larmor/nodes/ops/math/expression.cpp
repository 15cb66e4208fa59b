// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/expression.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

constexpr const char* ports[] = {"a", "b", "c", "d", "f", "g"};  // e and i are numbers

void compute(flow::Ports& io) {
  const nd::Expression formula(io.setting("formula").str());
  std::map<std::string, Array> values;
  Gridded place;
  for (const char* name : ports) {
    if (!io.has(name)) continue;
    const auto in = io.in<Gridded>(name);
    values.emplace(name, in.data);
    place = place_of(place, in);
  }
  for (const char* name : {"p", "q"}) values.emplace(name, flow::ValueTraits<Array>::from(io.setting(name).value()));
  io.out("out") = place.with(formula.evaluate(values, &io.cancel()));
}

}  // namespace

void register_math_expression(flow::NodeTypes& nodes) {
  auto type = flow::NodeType{.title = "Calculator",
                             .does = "Works out a formula for every element of its inputs",
                             .help =
                                 "Operators `+ - * / % ^`, comparisons `== != < <= > >=`, `& | !`, numbers, `pi`, "
                                 "`e`, the imaginary unit `i`, `nan`, `inf`; functions such as `abs sqrt exp log "
                                 "sin real imag phase conjugate min max hypot atan2 mod where(c, a, b) "
                                 "clip(a, low, high) is_nan`. Axes are matched by name. `p` and `q` are the two "
                                 "settings, to be slid.",
                             .tags = {"formula", "expression", "maths", "arithmetic"}};
  for (const char* name : ports) type.inputs.push_back({name, "array or number", "array", {.required = false}});
  nodes.add("math.expression", std::move(type)
                                   .out<Gridded>("out", "the axes of all inputs in the formula")
                                   .set({"formula", "like: abs(a) / (b + 1)", "a"})
                                   .set({"p", "a number in the formula", 0.0})
                                   .set({"q", "a number in the formula", 0.0})
                                   .validate([](flow::Form& form) {
                                     try {
                                       const nd::Expression formula(form.setting("formula").str());
                                       const auto& used = formula.variables();
                                       for (const char* name : {"p", "q"})
                                         if (std::find(used.begin(), used.end(), name) == used.end()) form.hide(name);
                                     } catch (const Error& e) {
                                       form.warn(e.message());
                                     }
                                   })
                                   .run(compute));
}

}  // namespace larmor::nodes
