// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/expression.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

// Coordinates of n places.
std::vector<double> places(std::int64_t n, const std::string& kind) {
  std::vector<double> out(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < n; ++k) {
    const double i = static_cast<double>(k), c = static_cast<double>(k - n / 2), m = static_cast<double>(n);
    out[static_cast<std::size_t>(k)] = kind == "index" ? i : kind == "centred" ? c : 2 * c / m;
  }
  return out;
}

void compute(flow::Ports& io) {
  Axes names;
  Shape shape;
  for (const auto& item : names_in(io.setting("shape"))) {
    const auto equals = item.find('=');
    if (equals == std::string::npos)
      throw Error(Errc::format, "'" + item + "' has no extent", "write the shape like: x=64, y=64");
    names.push_back(item.substr(0, equals));
    shape.push_back(whole({0, names.back(), item.substr(equals + 1)}));
    if (shape.back() < 1)
      throw Error(Errc::range, fmt::format("axis '{}' of {} elements", names.back(), shape.back()), "give 1 or more");
  }
  const nd::Expression formula(io.setting("formula").str());
  std::map<std::string, Array> values;
  for (std::size_t a = 0; a < names.size(); ++a)
    values.emplace(names[a], Array::from<double>(places(shape[a], io.setting("coordinates")), {shape[a]}, {names[a]}));
  Array out = formula.evaluate(values, &io.cancel());
  // Axes that the formula does not speak of repeat it.
  for (std::size_t a = 0; a < names.size(); ++a) {
    const auto& have = out.axes();
    if (std::find(have.begin(), have.end(), names[a]) != have.end()) continue;
    Shape longer = out.shape();
    Axes more = have;
    longer.push_back(1), more.push_back(names[a]);
    out = nd::tile(out.reshaped(longer, more), static_cast<int>(longer.size()) - 1, shape[a], &io.cancel());
  }
  std::vector<int> order;
  for (const auto& name : names) order.push_back(out.axis(name));
  const bool complex = out.dtype() == DType::c128, truth = out.dtype() == DType::boolean;
  io.out("out") = out.permuted(order).contiguous_copy().cast(truth     ? DType::boolean
                                                             : complex ? DType::c64
                                                                       : DType::f32);
}

}  // namespace

void register_source_array(flow::NodeTypes& nodes) {
  nodes.add("source.array",
            flow::NodeType{.title = "Array from a formula",
                           .does = "Makes an array from a formula of its coordinates",
                           .help = "Axes are variables: `exp(-(x^2 + y^2) / 0.1)`. Coordinates are indices from 0, "
                                   "indices from the centre $\\lfloor n/2 \\rfloor$, or -1 up to 1. See the calculator "
                                   "(math.expression) for what a formula may hold.",
                           .tags = {"function", "zeros", "constant", "generate", "meshgrid"}}
                .out<Array>("out", "f32, or c64 when the formula is complex, boolean when it is a comparison")
                .set({"shape", "axes and extents, like: x=64, y=64", "x=64, y=64"})
                .set({"formula", "value at a place", "0"})
                .set(flow::Setting::choice("coordinates", "what the axes' names stand for", "unit",
                                           {"unit", "centred", "index"}))
                .run(compute));
}

}  // namespace larmor::nodes
