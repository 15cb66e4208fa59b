// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/nodes/asl_ports.hpp>
#include <larmor/nodes/asl_report.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/number_text.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/table.hpp>

namespace larmor::nodes {
namespace {

void quality(flow::Ports& io) {
  const auto maps = io.in<ParameterMaps>("maps");
  const auto& cbf = maps.get("CBF").values;
  const Image& like = maps.reference;
  const auto q = asl::quality_of(cbf, mask_in(io, "mask", like), fraction_in(io, "GM", like),
                                 fraction_in(io, "WM", like), fraction_in(io, "CSF", like), like.affine.spacing());
  io.out("table") = quality_table(q);
  io.out("QEI") = q.QEI;
  io.out("spatial_CoV") = q.spatial_CoV;
}

}  // namespace

void register_asl_quality(flow::NodeTypes& nodes) {
  nodes.add("asl.quality",
            flow::NodeType{
                .title = "Quality of a CBF map",
                .does = "Mean flow of tissues, spatial variation and the quality evaluation index",
                .from = "Mutsaerts et al., JCBFM 37:3184 (2017); Dolui et al., JMRI 60:2497 (2024)",
                .help = "Spatial CoV: sd over mean of CBF in grey matter, high where label is still in arteries. "
                        "QEI, 0 to 1: likeness to 2.5 GM + WM, pooled variance, negative voxels, of the map smoothed "
                        "with 5 mm. Tissues are voxels of more than 70 %.",
                .tags = {"arterial spin labelling", "QC", "QEI", "spatial CoV"}}
                .in<ParameterMaps>("maps", "maps with CBF")
                .maybe<Gridded>("mask", "the brain")
                .maybe<Array>("GM", "fraction of grey matter (x, y, z)")
                .maybe<Array>("WM", "fraction of white matter (x, y, z)")
                .maybe<Array>("CSF", "fraction of CSF (x, y, z)")
                .out<io::Table>("table", "every figure")
                .out<double>("QEI", "quality evaluation index; NaN without tissues")
                .out<double>("spatial_CoV", "sd over mean of CBF")
                .run(quality));
}

}  // namespace larmor::nodes
