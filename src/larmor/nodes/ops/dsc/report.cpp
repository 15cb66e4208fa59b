// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/dsc_report.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>

namespace larmor::nodes {
namespace {

void report(flow::Ports& io) {
  DscReport r;
  r.title = io.setting("title").str(), r.subtitle = io.setting("subtitle").str();
  r.maps = io.in<ParameterMaps>("maps");
  if (!r.maps.meta.count("Method") || !r.maps.meta.count("PerMass"))
    throw Error(Errc::usage, "no method of DSC has made these maps", "wire those of dsc.deconvolve");
  r.concentration = series_in(io, "concentration");
  r.input = input_in(io, r.concentration);
  r.aif_from = r.input.source;
  r.arrival = io.in<double>("arrival");
  if (io.has("deepest")) r.deepest = io.in<double>("deepest");
  if (io.has("TE")) r.TE = io.in<double>("TE");
  if (io.has("signal")) r.dynamic = series_in(io, "signal");
  if (io.has("voxels")) r.detected = io.in<Image>("voxels");
  baseline_in(io, r.baseline_first, r.baseline_last);
  if (const auto made = io.provenance(); !made.empty()) r.details.emplace_back("Provenance", made);
  io.out("report") = Page{.title = r.title, .html = dsc_report(r).html()};
}

}  // namespace

void register_dsc_report(flow::NodeTypes& nodes) {
  nodes.add(
      "dsc.report",
      flow::NodeType{.title = "DSC report",
                     .does = "One page with the maps, their uncertainty, the input, curves and quality",
                     .tags = {"DSC", "html", "figures"}}
          .in<ParameterMaps>("maps", "maps of dsc.deconvolve, joined with those of the steps before")
          .in<Image>("concentration", "concentration [mM] that was deconvolved", {.min_rank = 4, .max_rank = 4})
          .in<Aif>("aif", "arterial whole blood [mM]")
          .in<double>("arrival", "arrival of the bolus in the artery [s]")
          .maybe<Image>("signal", "dynamic series, for the picture below the maps", {.min_rank = 4, .max_rank = 4})
          .maybe<std::vector<double>>("baseline", "frames before the bolus (dsc.relaxation)")
          .maybe<double>("deepest", "highest dR2* of the artery [1/s] (dsc.input_function)")
          .maybe<double>("TE", "echo time [s] (dsc.relaxation)")
          .maybe<Image>("voxels", "voxels taken as artery (dsc.input_function)")
          .out<Page>("report", "the page")
          .set({"title", "title of the page", "DSC perfusion"})
          .set({"subtitle", "line below it", ""})
          .run(report));
}

}  // namespace larmor::nodes
