// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

void descriptors(flow::Ports& io) {
  if (!io.setting("on")) return;
  const Image c = series_in(io, "concentration");
  ParameterMaps out;
  out.reference = reference_of(c);
  auto mask = mask_in(io, "mask", c);
  out.maps = dce::uptake_maps(c.data.cast(DType::f32).contiguous_copy(), c.times, io.in<double>("arrival"), mask,
                              &io.cancel());
  io.out("maps") = out;
}

}  // namespace

void register_dce_descriptors(flow::NodeTypes& nodes) {
  nodes.add("dce.descriptors",
            flow::NodeType{.title = "Describe the uptake",
                           .does = "Area, time to peak, peak, wash-in and wash-out of every curve, without a model",
                           .tags = {"DCE", "iAUC", "TTP", "semi-quantitative"}}
                .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .in<double>("arrival", "bolus arrival [s] (dce.arrival)")
                .maybe<Gridded>("mask", "voxels to describe; all when nothing is wired")
                .out<ParameterMaps>("maps",
                                    "iAUC60, iAUC90, iAUC180 [mM s], TTP [s], peak [mM], wash_in, wash_out "
                                    "[mM/s]",
                                    {.required = false})
                .set({"on", "compute them; off: no maps", true})
                .run(descriptors));
}

}  // namespace larmor::nodes
