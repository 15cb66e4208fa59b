// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/statistics.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/curve.hpp>

namespace larmor::nodes {
namespace {

nd::Summary summary_of(const Array& a) {
  const Array v = a.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  return nd::summarise({v.data<double>(), v.data<double>() + v.size()});
}

void histogram(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  auto range = io.setting("range").numbers();
  if (range.empty()) {
    const auto s = summary_of(in.data);
    if (s.count == 0) throw Error(Errc::range, "no finite value in " + in.data.describe());
    range = {s.minimum, s.maximum > s.minimum ? s.maximum : s.minimum + 1};
  }
  if (range.size() != 2)
    throw Error(Errc::shape, fmt::format("a range of {} numbers", range.size()), "give the lower and the upper end");
  Array mask;
  if (io.has("mask")) {
    const auto given = io.in<Gridded>("mask");
    place_of(in, given);
    mask = given.data;
  }
  const auto h = nd::histogram(in.data, io.has("mask") ? &mask : nullptr, int(io.setting("bins")), range[0], range[1]);
  Curve out;
  out.x_label = "value", out.x_unit = "", out.label = "elements";
  double total = 0;
  for (const double n : h.counts) total += n;
  std::vector<double> y = h.counts;
  const double width = h.edges[1] - h.edges[0];
  if (io.setting("density")) {
    for (double& v : y) v = total > 0 ? v / (total * width) : 0;
    out.label = "density";
  }
  for (std::size_t k = 0; k < y.size(); ++k) out.x.push_back((h.edges[k] + h.edges[k + 1]) / 2);
  out.y = {std::move(y)};
  io.out("curve") = out;
  if (h.below + h.above + h.left_out > 0)
    io.log(fmt::format("{} below, {} above, {} not finite", h.below, h.above, h.left_out));
}

void summary(flow::Ports& io) {
  const auto s = summary_of(io.in<Gridded>("in").data);
  io.out("mean") = s.mean;
  io.out("sd") = s.sd;
  io.out("median") = s.median;
  io.out("min") = s.minimum;
  io.out("max") = s.maximum;
  io.out("sum") = s.sum;
  io.out("count") = static_cast<double>(s.count);
}

}  // namespace

/// stats.histogram and stats.summary.
void register_stats_histogram(flow::NodeTypes& nodes) {
  nodes.add("stats.histogram",
            flow::NodeType{
                .title = "Histogram", .does = "Counts elements by their value", .tags = {"distribution", "density"}}
                .in<Gridded>("in", "real array")
                .maybe<Gridded>("mask", "elements to count: 0 and not 0, the first axes of the array")
                .out<Curve>("curve", "counts at the middles of the bins")
                .set({"bins", "number of bins", 64, 1, 100000})
                .set(flow::Setting::numbers("range", "lower and upper end; all values when empty", {}))
                .set({"density", "area 1 instead of counts", false})
                .run(histogram));
  nodes.add("stats.summary",
            flow::NodeType{.title = "Summary numbers",
                           .does = "Gives mean, sd, median, range and sum of all elements as numbers",
                           .help = "NaN and infinities are left out; count is the number of the others."}
                .in<Gridded>("in", "real array")
                .out<double>("mean", "arithmetic mean")
                .out<double>("sd", "standard deviation")
                .out<double>("median", "median")
                .out<double>("min", "smallest")
                .out<double>("max", "largest")
                .out<double>("sum", "sum")
                .out<double>("count", "finite elements")
                .run(summary));
}

}  // namespace larmor::nodes
