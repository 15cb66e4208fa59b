// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/hippocampus.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/table.hpp>

namespace larmor::nodes {
namespace {

void measure_op(flow::Ports& io) {
  const auto m = measure(io.in<ChosenSeries>("series"), io.in<Image>("image"), io.in<Segmented>("segmentation"));
  io::Table table;
  table.columns = {"side", "structure", "volume_mm3", "volume_mL", "voxels"};
  for (const auto& v : m.side.volumes)
    table.rows.push_back({m.side.side, v.structure, fmt::format("{:.2f}", v.mm3), fmt::format("{:.5f}", v.mL()),
                          std::to_string(v.voxels)});
  // Those of the segmentation were told by it.
  const auto told = io.in<Segmented>("segmentation").notes.size();
  for (std::size_t k = told; k < m.side.notes.size(); ++k) io.warn(m.side.notes[k].what);
  io.out("hippocampus") = m;
  io.out("volumes") = table;
  io.out("total") = m.side.volume("total").mm3;
}

}  // namespace

void register_hippocampus_measure(flow::NodeTypes& nodes) {
  nodes.add(
      "hippocampus.measure",
      flow::NodeType{
          .title = "Measure a hippocampus",
          .does = "Volumes of the anterior, posterior and whole hippocampus, and what a person should look at",
          .from = "voxel counts; limits of the checks: Antonelli et al., Nat Commun 13:4128 (2022), hippocampus task",
          .help = "Volume is the number of voxels times |det| of the affine. Checks: pieces, contact with the edge of "
                  "the picture, ragged surface, size, clipped intensities, contrast.",
          .tags = {"volume", "volumetry", "quality"}}
          .in<ChosenSeries>("series", "where the image came from")
          .in<Image>("image", "the crop (x, y, z)")
          .in<Segmented>("segmentation", "on the same grid")
          .out<Measured>("hippocampus", "side with its volumes")
          .out<io::Table>("volumes", "mm3, mL and voxels of each structure")
          .out<double>("total", "volume of the whole hippocampus [mm3]")
          .run(measure_op));
}

}  // namespace larmor::nodes
