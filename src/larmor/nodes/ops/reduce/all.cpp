// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/reduce.hpp>
#include <larmor/data/grid.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io, nd::Reduction op) {
  const auto in = io.in<Gridded>("in");
  const auto axes = axes_or_all(in.data, io.setting("axes").str());
  nd::ReduceOptions options{.keep_axes = io.setting("keep_axes"), .cancel = &io.cancel()};
  if (op != nd::Reduction::count && op != nd::Reduction::any && op != nd::Reduction::all)
    options.nan = io.setting("nan").str() == "omit" ? nd::NaN::omit : nd::NaN::propagate;
  if (op == nd::Reduction::percentile) options.percent = io.setting("percent");
  Array out = nd::reduce(op, in.data, axes, options);
  Gridded place = in;
  if (options.keep_axes)  // the one voxel that is left covers all of them
    for (const int axis : axes) {
      const auto step = resized(in.data.extent(axis), 1);
      place = along(place, place.data, in.data.axes()[static_cast<std::size_t>(axis)], step.first, step.step);
    }
  place.data = options.keep_axes ? out : in.data;
  io.out("out") = place.with(std::move(out));
}

}  // namespace

/// reduce.sum, reduce.mean, ...: one operation for each of nd::reductions().
void register_reduce_all(flow::NodeTypes& nodes) {
  for (const auto& r : nd::reductions()) {
    auto type = flow::NodeType{.title = r.title,
                               .does = std::string("Gives the ") + r.what + " along axes",
                               .help =
                                   "Sums are made in double precision whatever the type. An image stays an image "
                                   "as long as x, y and z are there: keep the axes to keep its place.",
                               .tags = {"reduce", "projection", "axis"}}
                    .in<Gridded>("in", r.complex_ok ? "array" : "real array")
                    .out<Gridded>("out", "the other axes")
                    .set({"axes", "axes to reduce, like: x, y; all when empty", ""})
                    .set({"keep_axes", "reduced axes stay, with one element", false});
    if (r.op == nd::Reduction::percentile)
      type.settings.push_back(flow::Setting{"percent", "part below the result", 50.0, 0.0, 100.0}.in("%"));
    if (r.op != nd::Reduction::count && r.op != nd::Reduction::any && r.op != nd::Reduction::all)
      type.settings.push_back(
          flow::Setting::choice("nan", "NaN makes the result NaN, or is left out", "propagate", {"propagate", "omit"}));
    type.adapt = [](flow::Form& form) { offer_axes(form, "in", "axes"); };
    type.compute = [op = r.op](flow::Ports& io) { compute(io, op); };
    nodes.add(std::string("reduce.") + r.name, std::move(type));
  }
}

}  // namespace larmor::nodes
