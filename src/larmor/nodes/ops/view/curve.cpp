// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/curve.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  if (in.data.dtype() == DType::c64 || in.data.dtype() == DType::c128)
    throw Error(Errc::type, "a curve of complex numbers: " + in.data.describe(),
                "take magnitude, phase or a part first");
  const std::string name =
      io.setting("axis").str().empty() && in.data.rank() > 0 ? in.data.axes()[0] : io.setting("axis").str();
  const int axis = need_axis(in.data, name);
  std::vector<int> order{axis};
  for (int i = 0; i < in.data.rank(); ++i)
    if (i != axis) order.push_back(i);
  const Array data = in.data.to(Device::cpu()).permuted(order).cast(DType::f64).contiguous_copy();
  const std::int64_t n = in.data.extent(axis), series = n ? data.size() / n : 0;
  if (n == 0 || series > 1000)
    throw Error(Errc::shape, fmt::format("{} curves of {} points from {}", series, n, in.data.describe()),
                "give up to 1,000 curves: take a part with array.crop, or the mean over axes");
  Curve out;
  if (io.has("x")) {
    out.x = io.in<std::vector<double>>("x");
    if (static_cast<std::int64_t>(out.x.size()) != n)
      throw Error(Errc::shape, fmt::format("{} places for {} values along '{}'", out.x.size(), n, name),
                  "give one for each");
  } else if (name == "t" && in.geometry && !in.geometry->times.empty()) {
    out.x = in.geometry->times;
  } else {
    for (std::int64_t k = 0; k < n; ++k) out.x.push_back(static_cast<double>(k));
    out.x_label = name, out.x_unit = "";
  }
  if (const std::string label = io.setting("x_label"); !label.empty()) out.x_label = label;
  if (const std::string unit = io.setting("x_unit"); !unit.empty()) out.x_unit = unit;
  out.label = io.setting("label").str(), out.unit = io.setting("unit").str();
  for (std::int64_t k = 0; k < series; ++k)
    out.y.emplace_back(data.data<double>() + k * n, data.data<double>() + (k + 1) * n);
  if (series > 1)
    for (std::int64_t k = 0; k < series; ++k) out.series.push_back(std::to_string(k));
  io.out("curve") = out;
}

}  // namespace

void register_view_curve(flow::NodeTypes& nodes) {
  nodes.add("view.curve",
            flow::NodeType{.title = "Curve of array",
                           .does = "Makes curves of an array along one axis, one for each place of the others",
                           .tags = {"plot", "profile", "series", "graph"}}
                .in<Gridded>("in", "real array")
                .maybe<std::vector<double>>("x", "places along the axis; times or indices when not wired")
                .out<Curve>("curve", "the curves")
                .set({"axis", "axis that runs along the curve; the first when empty", ""})
                .set({"label", "what the values are", ""})
                .set({"unit", "their unit", ""})
                .set({"x_label", "what the places are; made up when empty", ""})
                .set({"x_unit", "their unit", ""})
                .validate([](flow::Form& form) { offer_axes(form, "in", "axis"); })
                .run(compute));
}

}  // namespace larmor::nodes
