// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/aif_picture.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void input_function(flow::Ports& io) {
  const Image dR2 = series_in(io, "dR2");
  dsc::InputOptions o;
  const std::string source = io.setting("source");
  o.source = source == "region"  ? dsc::InputSource::region
             : source == "curve" ? dsc::InputSource::curve
                                 : dsc::InputSource::automatic;
  o.blood = relation_of(io);
  o.arrival = io.setting("arrival").str();
  o.first_pass = io.setting("first_pass"), o.cut = io.setting("cut");
  std::optional<Aif> curve;
  if (io.has("curve")) curve = io.in<Aif>("curve");
  const auto found =
      dsc::find_input(dR2.data.cast(DType::f32).contiguous_copy(), dR2.times, o, mask_in(io, "mask", dR2),
                      mask_in(io, "aif_region", dR2), curve ? &*curve : nullptr);
  io.out("aif") = found.blood;
  io.out("arrival") = found.arrival;
  io.out("deepest") = found.deepest;
  if (found.detection) io.out("voxels") = detected_voxels(*found.detection, dR2);
}

}  // namespace

void register_dsc_input_function(flow::NodeTypes& nodes) {
  flow::NodeType type{.title = "Arterial input",
                      .does = "Arterial input of a first pass: found in the data, a region, or a measured curve",
                      .from = "Mouridsen et al., MRM 55:524 (2006)",
                      .help =
                          "Voxels that rise early, high and sharply are grouped by k-means of their curves; the most "
                          "arterial group of three or more wins. dR2* becomes concentration by the relation of blood.",
                      .tags = {"AIF", "DSC", "artery", "automatic"}};
  type.settings.push_back(
      Setting::choice("source", "where it comes from", "automatic", {"automatic", "region", "curve"}));
  for (auto& s : relation_settings("linear", "the artery")) type.settings.push_back(std::move(s));
  nodes.add("dsc.input_function",
            std::move(type)
                .in<Image>("dR2", "change of the relaxation rate [1/s] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .maybe<Gridded>("mask", "where to look, for source 'automatic'; everywhere when nothing is wired")
                .maybe<Gridded>("aif_region", "voxels of an artery, for source 'region'")
                .maybe<Aif>("curve", "measured curve [mM], for source 'curve'")
                .out<Aif>("aif", "whole-blood concentration at the frames [mM]")
                .out<double>("arrival", "arrival of the bolus in the artery [s]")
                .out<double>("deepest", "highest dR2* of the artery [1/s]")
                .out<Image>("voxels", "score of the voxels that were chosen automatically, NaN elsewhere",
                            {.required = false})
                .set(Setting::choice("arrival", "how the arrival is found", "arrival.piecewise", dsc::arrivals().ids()))
                .set({"first_pass", "a gamma variate fitted to the first pass instead of the curve", false})
                .set(Setting{"cut",
                             "the gamma variate is fitted up to where the curve has fallen to this share of its "
                             "peak",
                             0.3, 0.01, 0.99})
                .run(input_function)
                .validate([](flow::Form& form) {
                  adapt_relation(form);
                  if (!static_cast<bool>(form.setting("first_pass"))) form.hide("cut");
                }));
}

}  // namespace larmor::nodes
