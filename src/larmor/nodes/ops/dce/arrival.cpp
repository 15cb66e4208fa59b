// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

void arrival(flow::Ports& io) {
  const Image c = series_in(io, "concentration");
  const auto mean = dce::mean_curve(c.data.cast(DType::f32).contiguous_copy(), mask_in(io, "mask", c));
  std::optional<double> otherwise;
  if (const auto s = io.setting("otherwise"); s.given()) otherwise = static_cast<double>(s);
  io.out("arrival") = dce::tissue_arrival(c.times, mean, otherwise);
  io.out("mean") = Curve{.x = c.times, .y = {mean}, .label = "concentration", .unit = "mM", .series = {"mean tissue"}};
}

}  // namespace

void register_dce_arrival(flow::NodeTypes& nodes) {
  flow::Setting otherwise{"otherwise", "taken when nothing rises; empty: that is an error", 0.0, -1e6, 1e6};
  otherwise.value = {};
  nodes.add("dce.arrival",
            flow::NodeType{.title = "Bolus arrival",
                           .does = "When the mean curve of a region begins to rise",
                           .help = "A flat line and then a rise, fitted by least squares and refined below the frame "
                                   "time.",
                           .tags = {"DCE", "BAT", "onset", "delay"}}
                .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .maybe<Gridded>("mask", "voxels whose mean is taken; all when nothing is wired")
                .out<double>("arrival", "time [s]")
                .out<Curve>("mean", "mean concentration [mM]")
                .set(std::move(otherwise).in("s").or_none())
                .run(arrival));
}

}  // namespace larmor::nodes
