// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

void normalise(flow::Ports& io) {
  const auto maps = io.in<ParameterMaps>("maps");
  if (!io.has("region")) {
    io.out("maps") = maps;
    return;
  }
  std::optional<double> flow;
  if (const auto s = io.setting("reference_CBF"); s.given())
    flow = units::convert(static_cast<double>(s), "mL/min/100g", "mm3/(g s)");
  io.out("maps") = dsc::normalised(maps, mask_in(io, "region", maps.reference), flow);
}

}  // namespace

void register_dsc_normalise(flow::NodeTypes& nodes) {
  nodes.add(
      "dsc.normalise",
      flow::NodeType{.title = "Normalise to a reference",
                     .does = "Flow and volume relative to a reference region, such as white matter",
                     .from = "Ostergaard et al., MRM 36:726 (1996)",
                     .help = "Adds rCBF and rCBV, over the median of the region; with the flow of the region given, "
                             "CBF and CBV are scaled to it. Without a region the maps pass unchanged.",
                     .tags = {"DSC", "rCBV", "rCBF", "white matter"}}
          .in<ParameterMaps>("maps", "maps of dsc.deconvolve")
          .maybe<Gridded>("region", "voxels of the reference, those not 0")
          .out<ParameterMaps>("maps", "the same, with rCBF and rCBV")
          .set(optional_number("reference_CBF", "flow that the region has; empty: no scaling", 1, 200, "mL/min/100g"))
          .run(normalise));
}

}  // namespace larmor::nodes
