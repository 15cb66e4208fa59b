// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/aif_picture.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

dce::AifSource source_of(const std::string& name) {
  return name == "model"    ? dce::AifSource::model
         : name == "curve"  ? dce::AifSource::curve
         : name == "region" ? dce::AifSource::region
                            : dce::AifSource::automatic;
}

void input_function(flow::Ports& io) {
  const Image c = series_in(io, "concentration");
  dce::InputOptions o{.source = source_of(io.setting("source")),
                      .model = io.setting("model").str(),
                      .Hct = io.setting("Hct"),
                      .arrival = {},
                      .delay = io.setting("delay"),
                      .step = io.setting("step")};
  if (const auto s = io.setting("arrival"); s.given()) o.arrival = static_cast<double>(s);
  if (o.source == dce::AifSource::model && !o.arrival && !io.has("arrival"))
    throw Error(Errc::range, "the arrival of the population curve is not known",
                "set 'arrival' [s], or wire dce.arrival to it");
  std::vector<Aif> curves;
  if (io.has("curve")) curves.push_back(io.in<Aif>("curve"));
  if (io.has("venous")) {
    if (curves.empty())
      throw Error(Errc::usage, "a venous curve without an arterial one", "wire the arterial curve too");
    curves.push_back(io.in<Aif>("venous"));
  }
  const Array f32 = c.data.cast(DType::f32).contiguous_copy();
  const auto found = dce::find_inputs(o, f32, c.times, curves, mask_in(io, "mask", c), mask_in(io, "aif_region", c),
                                      io.has("arrival") ? io.in<double>("arrival") : 0);
  io.out("aif") = found.curves[0];
  if (found.curves.size() > 1) io.out("venous") = found.curves[1];
  if (found.detection) io.out("voxels") = detected_voxels(*found.detection, c);
}

void adapt(flow::Form& form) {
  const std::string source = form.setting("source");
  if (source != "model")
    for (const char* name : {"model", "arrival", "step"}) form.hide(name);
}

}  // namespace

void register_dce_input_function(flow::NodeTypes& nodes) {
  Setting arrival{"arrival", "when the bolus of a population curve arrives; empty: as found in the tissue", 0.0, -1e6,
                  1e6};
  arrival.value = {};
  nodes.add(
      "dce.input_function",
      flow::NodeType{.title = "Arterial input",
                     .does = "Plasma input of the fit: a population curve, a measured curve, a region or found in the "
                             "data",
                     .help = "Whole blood becomes plasma by $C_p = C_b/(1-Hct)$. A population curve is sampled finely "
                             "around its bolus, which is narrower than most frame times.",
                     .tags = {"AIF", "VIF", "DCE", "artery"}}
          .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
          .maybe<Aif>("curve", "measured arterial curve, for source 'curve'")
          .maybe<Aif>("venous", "second input of dual-input models (portal vein)")
          .maybe<Gridded>("aif_region", "voxels of an artery, for source 'region'")
          .maybe<Gridded>("mask", "where to look, for source 'automatic'")
          .maybe<double>("arrival", "bolus arrival in the tissue [s] (dce.arrival)")
          .out<Aif>("aif", "arterial plasma concentration [mM]")
          .out<Aif>("venous", "venous plasma concentration [mM]", {.required = false})
          .out<Image>("voxels", "score of the voxels that were chosen automatically, NaN elsewhere",
                      {.required = false})
          .set(Setting::choice("source", "where it comes from", "model", {"model", "curve", "region", "automatic"}))
          .set(Setting::choice("model", "population curve", "aif.parker", dce::aif_models().ids()))
          .set(Setting{"Hct", "haematocrit", 0.42, 0, 0.9}.by(0.01))
          .set(std::move(arrival).in("s").or_none())
          .set(Setting{"delay", "moves the curve to later times", 0.0, -300, 300}.in("s"))
          .set(Setting{"step", "sampling of a population curve around its bolus", 1.0, 0.01, 60}.in("s"))
          .run(input_function)
          .validate(adapt));
}

}  // namespace larmor::nodes
