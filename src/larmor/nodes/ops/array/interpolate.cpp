// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/nd/resample.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/place.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const auto at = io.has("positions") ? io.in<std::vector<double>>("positions") : io.setting("at").numbers();
  if (at.empty()) throw Error(Errc::usage, "no positions to interpolate at", "wire 'positions' or set 'at'");
  const int axis = need_axis(in.data, io.setting("axis"));
  nd::ResampleOptions o{.kind = nd::interpolation_called(io.setting("interpolation")), .cancel = &io.cancel()};
  o.fill = io.setting("outside").given() ? double(io.setting("outside")) : std::nan("");
  const std::string name = io.setting("axis");
  Array data = nd::resample_axis(in.data, axis, at, o);
  // Positions of one step apart are a grid again; others have no place in space.
  const double step = at.size() > 1 ? at[1] - at[0] : 1;
  const auto off = [&](std::size_t k) { return std::abs(at[k] - at[0] - step * static_cast<double>(k)); };
  bool regular = step != 0;
  for (std::size_t k = 2; k < at.size(); ++k) regular = regular && off(k) <= 1e-9 * std::abs(step);
  if (name == "t") {
    Gridded out = in.with(std::move(data));
    if (in.geometry && out.geometry) out.geometry->times = times_at(in.geometry->times, at);
    io.out("out") = out;
  } else if (regular) {
    io.out("out") = along(in, std::move(data), name, at[0], step);
  } else {
    const bool space = name == "x" || name == "y" || name == "z";
    io.out("out") = space ? Gridded{std::move(data), {}} : in.with(std::move(data));
  }
}

}  // namespace

void register_array_interpolate(flow::NodeTypes& nodes) {
  const auto kinds = nd::interpolations();
  nodes.add("array.interpolate",
            flow::NodeType{.title = "Interpolate at positions",
                           .does = "Gives values between the elements along an axis",
                           .help = "Positions of equal steps along x, y or z of an image stay an image, and every "
                                   "value stays where it is in space; others give an array. Times follow.",
                           .version = 2,
                           .tags = {"resample", "sample"}}
                .in<Gridded>("in", "array")
                .maybe<std::vector<double>>("positions", "positions [elements, from 0]; the setting when not wired")
                .out<Gridded>("out", "an element a position along the axis")
                .set({"axis", "axis to go along", "x"})
                .set(flow::Setting::numbers("at", "positions [elements, from 0]", {}))
                .set(flow::Setting::choice("interpolation", "how values between elements are made", "linear",
                                           {kinds.begin(), kinds.end()}))
                .set(flow::Setting{"outside", "value beyond the axis; NaN when not set", 0.0}.or_none())
                .validate([](flow::Form& form) {
                  offer_axes(form, "in", "axis");
                  if (!form.in("positions").none()) form.hide("at");
                })
                .run(compute));
}

}  // namespace larmor::nodes
