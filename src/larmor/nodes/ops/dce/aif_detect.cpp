// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/aif_picture.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/picture.hpp>

namespace larmor::nodes {
namespace {

void aif_detect(flow::Ports& io) {
  const Image c = series_in(io, "concentration");
  const auto d = dce::detect_aif(c.data.cast(DType::f32).contiguous_copy(), c.times, mask_in(io, "mask", c));
  io.out("aif") = d.blood;
  io.out("voxels") = detected_voxels(d, c);
  io.out("picture") = aif_picture(c, d.voxels);
}

}  // namespace

void register_dce_aif_detect(flow::NodeTypes& nodes) {
  nodes.add("dce.aif_detect",
            flow::NodeType{.title = "Find the artery",
                           .does = "Finds arterial voxels in a concentration series and gives their mean curve",
                           .help = "Candidates rise early, high and sharply; their curves are grouped by k-means, and "
                                   "the most arterial group of three voxels or more wins.",
                           .tags = {"AIF", "automatic", "DCE"}}
                .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .maybe<Gridded>("mask", "where to look; everywhere when nothing is wired")
                .out<Aif>("aif", "whole-blood concentration [mM]")
                .out<Image>("voxels", "score of the chosen voxels, NaN elsewhere")
                .out<io::Picture>("picture", "the chosen voxels in red, in the slice with the most of them")
                .run(aif_detect));
}

}  // namespace larmor::nodes
