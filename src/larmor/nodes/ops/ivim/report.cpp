// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/ivim_report.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void report(flow::Ports& io) {
  const DiffusionSeries s = diffusion_series_in(io);
  IvimReport r;
  r.title = io.setting("title").str(), r.subtitle = io.setting("subtitle").str();
  r.maps = io.in<ParameterMaps>("maps");
  if (!r.maps.meta.count("Models"))
    throw Error(Errc::usage, "no method of IVIM has made these maps", "wire those of ivim.estimate");
  r.series = s.image, r.b = s.b;
  if (const auto made = io.provenance(); !made.empty()) r.details.emplace_back("Provenance", made);
  io.out("report") = Page{.title = r.title, .html = ivim_report(r).html()};
}

}  // namespace

void register_ivim_report(flow::NodeTypes& nodes) {
  nodes.add("ivim.report",
            flow::NodeType{.title = "IVIM report",
                           .does = "One page with the maps, their uncertainty, fitted signals and quality",
                           .tags = {"intravoxel incoherent motion", "html", "figures"}}
                .in<ParameterMaps>("maps", "maps of ivim.estimate")
                .in<Gridded>("signal", "signal that was fitted (x, y, z, b)", {.min_rank = 4})
                .maybe<Gridded>("mask", "voxels that were looked at")
                .out<Page>("report", "the page")
                .set({"title", "title of the page", "IVIM"})
                .set({"subtitle", "line below it", ""})
                .set(b_values_setting())
                .validate(ask_for_b_values)
                .run(report));
}

}  // namespace larmor::nodes
