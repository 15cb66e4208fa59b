// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/statistics.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/table.hpp>

namespace larmor::nodes {
namespace {

// Values by label for each volume of `in` (the labels' axes first).
struct Volumes {
  Array labels;
  std::vector<Array> volumes;
  double voxel_mm3 = std::nan("");
};

Volumes volumes_of(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Volumes out;
  if (io.has("rois")) {
    const auto rois = io.in<Gridded>("rois");
    place_of(in, rois);
    out.labels = rois.data;
  } else {
    const Shape space(in.data.shape().begin(), in.data.shape().begin() + std::min(3, in.data.rank()));
    out.labels = Array(DType::boolean, space);
    std::fill_n(out.labels.data<bool>(), out.labels.size(), true);
  }
  if (in.geometry) out.voxel_mm3 = std::abs(in.geometry->affine.determinant());
  const Shape& l = out.labels.shape();
  if (in.data.rank() < out.labels.rank() || !std::equal(l.begin(), l.end(), in.data.shape().begin()))
    throw Error(Errc::shape,
                fmt::format("the values are {} and the regions {}", in.data.describe(), out.labels.describe()),
                "give regions on the grid of the values; axes of the values may follow");
  const std::int64_t size = out.labels.size(), n = size ? in.data.size() / size : 0;
  const Array all = in.data.to(Device::cpu()).contiguous_copy().reshaped({size, n}, {"x", "t"});
  for (std::int64_t k = 0; k < n; ++k) {
    io.cancel().check();
    out.volumes.push_back(all.slice(1, k).reshaped(l));
  }
  out.labels = out.labels.to(Device::cpu()).contiguous_copy().reshaped(l);
  return out;
}

std::string cell(double v) { return std::isnan(v) ? "" : fmt::format("{:.8g}", v); }

void table(flow::Ports& io) {
  const auto data = volumes_of(io);
  io::Table out;
  out.columns = {"roi", "volume", "voxels", "mm3", "mean", "sd", "median", "min", "max", "p5", "p95", "left_out"};
  for (std::size_t v = 0; v < data.volumes.size(); ++v)
    for (auto& [label, values] : nd::by_label(data.volumes[v], data.labels)) {
      const double n = static_cast<double>(values.size());
      const auto s = nd::summarise(values);
      out.rows.push_back({std::to_string(label), std::to_string(v), std::to_string(values.size()),
                          cell(n * data.voxel_mm3), cell(s.mean), cell(s.sd), cell(s.median), cell(s.minimum),
                          cell(s.maximum), cell(s.p5), cell(s.p95), std::to_string(s.left_out)});
    }
  io.out("table") = out;
}

void curve(flow::Ports& io) {
  const auto data = volumes_of(io);
  const auto in = io.in<Gridded>("in");
  const bool median = io.setting("what").str() == "median";
  std::map<std::int32_t, std::vector<double>> series;
  for (std::size_t v = 0; v < data.volumes.size(); ++v)
    for (auto& [label, values] : nd::by_label(data.volumes[v], data.labels)) {
      const auto s = nd::summarise(values);
      series[label].push_back(median ? s.median : s.mean);
    }
  Curve out;
  const bool timed = in.geometry && in.geometry->times.size() == data.volumes.size();
  for (std::size_t v = 0; v < data.volumes.size(); ++v)
    out.x.push_back(timed ? in.geometry->times[v] : static_cast<double>(v));
  if (!timed) out.x_label = "volume", out.x_unit = "";
  for (auto& [label, values] : series) {
    out.series.push_back(fmt::format("region {}", label));
    out.y.push_back(std::move(values));
  }
  if (out.y.empty()) throw Error(Errc::range, "no region holds a voxel", "are the labels all 0?");
  io.out("curve") = out;
}

}  // namespace

/// stats.roi (a table) and stats.roi_curve.
void register_stats_roi(flow::NodeTypes& nodes) {
  nodes.add("stats.roi",
            flow::NodeType{.title = "Statistics of regions",
                           .does = "Tables voxels, volume, mean, sd, median, range and percentiles of every region",
                           .help = "NaN and infinities are counted and left out. sd has n - 1 below the sum. A further "
                                   "axis, as time, gives a row for each of its elements.",
                           .tags = {"ROI", "mean", "table", "summary"}}
                .in<Gridded>("in", "real values")
                .maybe<Gridded>("rois", "labels 1, 2, ...; 0 is background; everything when not wired")
                .out<io::Table>("table", "a row a region")
                .run(table));
  nodes.add("stats.roi_curve",
            flow::NodeType{.title = "Curves of regions",
                           .does = "Gives the mean or median of every region along the axis after space",
                           .tags = {"ROI", "time course", "dynamic"}}
                .in<Gridded>("in", "real values, (x, y, z, t)")
                .maybe<Gridded>("rois", "labels 1, 2, ...; 0 is background; everything when not wired")
                .out<Curve>("curve", "a series a region, against acquisition times when known")
                .set(flow::Setting::choice("what", "what stands for a region", "mean", {"mean", "median"}))
                .run(curve));
}

}  // namespace larmor::nodes
