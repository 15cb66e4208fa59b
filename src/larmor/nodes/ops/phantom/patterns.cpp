// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/expression.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

// A formula of x, y, z from -1 up to 1 over `size` voxels, with a, b, c as numbers; axes that are not there are
// `missing`.
void pattern(flow::Ports& io, const std::string& formula, const std::map<std::string, double>& numbers,
             double missing = 0) {
  static const char* const names[] = {"x", "y", "z"};
  const auto size = io.setting("size").numbers();
  if (size.empty() || size.size() > 3)
    throw Error(Errc::shape, fmt::format("a pattern of {} axes", size.size()), "give one to three extents");
  std::map<std::string, Array> values;
  for (const auto& [name, v] : numbers) values.emplace(name, flow::ValueTraits<Array>::from(v));
  std::string all = formula;
  for (std::size_t a = 0; a < size.size(); ++a) {
    const double n = size[a];
    if (n < 1 || n != std::floor(n) || n > 1e7)
      throw Error(Errc::range, fmt::format("an axis of {:g} voxels", n), "give whole numbers of 1 or more");
    std::vector<double> line;
    for (double k = 0; k < n; ++k) line.push_back(2 * (k - std::floor(n / 2)) / n);
    values.emplace(names[a], Array::from<double>(line, {static_cast<std::int64_t>(n)}, {names[a]}));
    all += std::string(" + 0 * ") + names[a];  // every axis is there, in this order
  }
  for (std::size_t a = size.size(); a < 3; ++a) values.emplace(names[a], flow::ValueTraits<Array>::from(missing));
  Array out = nd::Expression(all).evaluate(values, &io.cancel());
  std::vector<int> order;
  for (std::size_t a = 0; a < size.size(); ++a) order.push_back(out.axis(names[a]));
  io.out("out") = out.permuted(order).contiguous_copy().cast(DType::f32);
}

flow::Setting size() { return flow::Setting::numbers("size", "voxels along x, y, z", {128, 128}); }

}  // namespace

/// phantom.gaussian, gradient and checker.
void register_phantom_patterns(flow::NodeTypes& nodes) {
  nodes.add(
      "phantom.gaussian",
      flow::NodeType{.title = "Gaussian blob", .does = "Makes a Gaussian in the middle", .tags = {"phantom", "blob"}}
          .out<Array>("out", "f32, `height` in the middle")
          .set(size())
          .set({"width", "standard deviation, over half the field of view", 0.3, 1e-6, 1e6})
          .set({"height", "value in the middle", 1.0})
          .run([](flow::Ports& io) {
            pattern(io, "a * exp(-(x^2 + y^2 + z^2) / (2 * b^2))",
                    {{"a", io.setting("height")}, {"b", io.setting("width")}});
          }));
  nodes.add("phantom.gradient", flow::NodeType{.title = "Gradient",
                                               .does = "Makes a linear ramp through the field of view",
                                               .tags = {"phantom", "ramp"}}
                                    .out<Array>("out", "f32, offset + slopes times coordinates from -1 up to 1")
                                    .set(size())
                                    .set({"along_x", "slope along x", 1.0})
                                    .set({"along_y", "slope along y", 0.0})
                                    .set({"along_z", "slope along z", 0.0})
                                    .set({"offset", "value in the middle", 0.0})
                                    .run([](flow::Ports& io) {
                                      pattern(io, "a * x + b * y + c * z + d",
                                              {{"a", io.setting("along_x")},
                                               {"b", io.setting("along_y")},
                                               {"c", io.setting("along_z")},
                                               {"d", io.setting("offset")}});
                                    }));
  nodes.add(
      "phantom.checker",
      flow::NodeType{.title = "Checkerboard", .does = "Makes fields of 0 and 1", .tags = {"phantom", "chess"}}
          .out<Array>("out", "f32, 0 and 1")
          .set(size())
          .set({"fields", "fields along every axis", 8, 1, 10000})
          .run([](flow::Ports& io) {
            // A hair inwards, so that a border between fields falls to one side for every size.
            pattern(
                io,
                "(floor((x + 1) * a / 2 + 1e-9) + floor((y + 1) * a / 2 + 1e-9) + floor((z + 1) * a / 2 + 1e-9)) % 2",
                {{"a", io.setting("fields")}}, -1);
          }));
}

}  // namespace larmor::nodes
