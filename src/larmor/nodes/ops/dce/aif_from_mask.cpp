// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

void aif_from_mask(flow::Ports& io) {
  const Image c = series_in(io, "concentration");
  io.out("aif") = dce::aif_from_mask(c.data.cast(DType::f32).contiguous_copy(), c.times, mask_in(io, "region", c));
}

}  // namespace

void register_dce_aif_from_mask(flow::NodeTypes& nodes) {
  nodes.add("dce.aif_from_mask",
            flow::NodeType{.title = "Input from a region",
                           .does = "Mean concentration of the voxels of an artery",
                           .tags = {"AIF", "ROI", "DCE"}}
                .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .in<Gridded>("region", "voxels of the artery, those not 0")
                .out<Aif>("aif", "whole-blood concentration [mM]")
                .run(aif_from_mask));
}

}  // namespace larmor::nodes
