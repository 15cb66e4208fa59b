// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/asl_report.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/table.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void report(flow::Ports& io) {
  AslReport r;
  r.title = io.setting("title").str(), r.subtitle = io.setting("subtitle").str();
  r.maps = io.in<ParameterMaps>("maps");
  r.signal = io.in<Image>("signal");
  if (io.has("series")) r.series = io.in<Image>("series");
  if (io.has("quality")) r.quality = io.in<io::Table>("quality");
  if (io.has("differences")) r.differences = io.in<io::Table>("differences");
  if (io.has("M0")) r.M0_from = asl::fact_text(io.in<Image>("M0").meta, "From");
  r.engine_units = io.setting("units").str() == "engine";
  if (const auto made = io.provenance(); !made.empty()) r.details.emplace_back("Provenance", made);
  io.out("report") = Page{.title = r.title, .html = asl_report(r).html()};
}

}  // namespace

void register_asl_report(flow::NodeTypes& nodes) {
  nodes.add("asl.report",
            flow::NodeType{.title = "ASL report",
                           .does = "One page with the maps, their uncertainty, fitted signals and quality",
                           .tags = {"arterial spin labelling", "html", "figures"}}
                .in<ParameterMaps>("maps", "maps of asl.quantify, joined with others")
                .in<Image>("signal", "differences over M0 of blood (asl.quantify)")
                .maybe<Image>("series", "the series, for the picture below the maps")
                .maybe<Image>("M0", "M0 of blood (asl.m0)")
                .maybe<io::Table>("quality", "figures of asl.quality")
                .maybe<io::Table>("differences", "table of asl.differences")
                .out<Page>("report", "the page")
                .set({"title", "title of the page", "ASL perfusion"})
                .set({"subtitle", "line below it", ""})
                .set(Setting::choice("units", "of the lexicon (mL/min/100g) or of the engine", "lexicon",
                                     {"lexicon", "engine"}))
                .run(report));
}

}  // namespace larmor::nodes
