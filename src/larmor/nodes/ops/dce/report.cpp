// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dce_report.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void report(flow::Ports& io) {
  DceReport r;
  r.title = io.setting("title").str(), r.subtitle = io.setting("subtitle").str();
  r.concentration = series_in(io, "concentration");
  if (io.has("signal")) r.dynamic = series_in(io, "signal");
  r.maps = io.in<ParameterMaps>("maps");
  if (io.has("aif")) r.inputs = plasma_in(io);
  if (io.has("voxels")) r.detected = io.in<Image>("voxels");
  if (io.has("mean")) r.mean_tissue = io.in<Curve>("mean").y.at(0);
  if (r.mean_tissue.empty())
    r.mean_tissue = dce::mean_curve(r.concentration.data.cast(DType::f32).contiguous_copy(), {});
  if (io.has("arrival")) r.arrival = io.in<double>("arrival");
  if (io.has("baseline"))
    if (const auto b = io.in<std::vector<double>>("baseline"); b.size() == 2)
      r.baseline_first = static_cast<int>(b[0]), r.baseline_last = static_cast<int>(b[1]);
  if (!r.inputs.empty()) r.aif_from = r.inputs[0].source, r.Hct = r.inputs[0].Hct;
  r.engine_units = io.setting("units").str() == "engine";
  if (const auto made = io.provenance(); !made.empty()) r.details.emplace_back("Provenance", made);
  io.out("report") = Page{.title = r.title, .html = dce_report(r).html()};
}

}  // namespace

void register_dce_report(flow::NodeTypes& nodes) {
  nodes.add(
      "dce.report",
      flow::NodeType{.title = "DCE report",
                     .does = "One page with the maps, their uncertainty, the input, fitted curves and quality",
                     .tags = {"DCE", "html", "figures"}}
          .in<ParameterMaps>("maps", "maps of a fit, joined with those of T1 and of the uptake")
          .in<Image>("concentration", "concentration [mM] that was fitted", {.min_rank = 4, .max_rank = 4})
          .maybe<Aif>("aif", "arterial plasma concentration [mM]")
          .maybe<Aif>("venous", "venous plasma concentration [mM]")
          .maybe<Image>("signal", "dynamic series, for the picture below the maps", {.min_rank = 4, .max_rank = 4})
          .maybe<std::vector<double>>("baseline", "frames before contrast (dce.concentration)")
          .maybe<double>("arrival", "bolus arrival [s] (dce.arrival)")
          .maybe<Curve>("mean", "mean concentration (dce.arrival)")
          .maybe<Image>("voxels", "voxels taken as artery (dce.input_function)")
          .out<Page>("report", "the page")
          .set({"title", "title of the page", "DCE perfusion"})
          .set({"subtitle", "line below it", ""})
          .set(Setting::choice("units", "of the lexicon (1/min, mL/min/100mL) or of the engine (1/s)", "lexicon",
                               {"lexicon", "engine"}))
          .run(report));
}

}  // namespace larmor::nodes
