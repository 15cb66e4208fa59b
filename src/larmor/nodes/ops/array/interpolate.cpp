// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/nd/resample.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const auto at = io.has("positions") ? io.in<std::vector<double>>("positions") : io.setting("at").numbers();
  if (at.empty()) throw Error(Errc::usage, "no positions to interpolate at", "wire 'positions' or set 'at'");
  const int axis = need_axis(in.data, io.setting("axis"));
  nd::ResampleOptions o{.kind = nd::interpolation_called(io.setting("interpolation")), .cancel = &io.cancel()};
  o.fill = io.setting("outside").given() ? double(io.setting("outside")) : std::nan("");
  Gridded out{nd::resample_axis(in.data, axis, at, o), {}};
  const std::string name = io.setting("axis");
  if (in.geometry && name != "x" && name != "y" && name != "z") out = in.with(out.data);
  if (out.geometry && name == "t") out.geometry->times.clear();
  io.out("out") = out;
}

}  // namespace

void register_array_interpolate(flow::NodeTypes& nodes) {
  const auto kinds = nd::interpolations();
  nodes.add("array.interpolate",
            flow::NodeType{.title = "Interpolate at positions",
                           .does = "Gives values between the elements along an axis",
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
