// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/dro.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

// The frames of a named axis: what make_dro gives has no names.
Image named(Image image, const char* last) {
  image.data = image.data.with_axes({"x", "y", "z", last});
  return image;
}

void dro(flow::Ports& io) {
  dce::DroOptions o;
  o.model = io.setting("model").str();
  const auto grid = io.setting("grid").numbers();
  if (grid.size() != 3) throw Error(Errc::usage, "'grid' does not hold 3 numbers", "give voxels along x, y and z");
  for (std::size_t i = 0; i < 3; ++i) o.grid[i] = static_cast<std::int64_t>(grid[i]);
  for (int i = 0; i < static_cast<int>(io.setting("frames")); ++i)
    o.times.push_back(i * static_cast<double>(io.setting("frame_time")));
  o.values = parse_param_levels(io.setting("params"), dce::models().get(o.model));
  o.delay = io.setting("delay");
  o.aif = io.setting("aif").str();
  o.arrival = io.setting("arrival"), o.Hct = io.setting("Hct");
  o.signal = io.setting("kind").str() == "signal";
  o.snr = io.setting("snr"), o.noise_sd = io.setting("noise");
  if (o.signal)
    o.noise_sd = 0;
  else
    o.snr = 0;
  o.FA = static_cast<double>(io.setting("FA")) * units::degree;
  o.TR = static_cast<double>(io.setting("TR")) * units::millisecond;
  o.r1 = io.setting("r1"), o.M0 = io.setting("M0");
  o.vfa_FA = in_rad(io.setting("vfa_FA").numbers());
  o.T10 = io.setting("T10").numbers();
  o.seed = static_cast<unsigned>(static_cast<int>(io.setting("seed")));
  auto made = dce::make_dro(o);
  io.out("dynamic") = named(std::move(made.dynamic), "t");
  if (!made.vfa.data.empty()) io.out("vfa") = named(std::move(made.vfa), "flip");
  io.out("mask") = place_of(made.mask, made.mask.data);
  made.truth.meta["Models"] = std::vector<std::string>{o.model};
  io.out("truth") = made.truth;
  io.out("aif") = made.aif;
  if (made.portal.size() > 0) io.out("portal") = made.portal;
}

void adapt(flow::Form& form) {
  const bool signal = form.setting("kind").str() == "signal";
  for (const char* name : {"snr", "FA", "TR", "r1", "M0", "vfa_FA", "T10"})
    if (!signal) form.hide(name);
  if (signal) form.hide("noise");
}

}  // namespace

void register_dce_dro(flow::NodeTypes& nodes) {
  const dce::DroOptions d;
  nodes.add(
      "dce.dro",
      flow::NodeType{.title = "Digital reference object",
                     .does = "Images with known parameters, by a calculation independent of the fit",
                     .help = "Blocks of constant parameters in a rim of background. The tissue curve is the model's "
                             "differential equations by Gauss quadrature, refined until nothing changes.",
                     .tags = {"DCE", "DRO", "phantom", "simulation", "test"}}
          .out<Image>("dynamic", "signal, or concentration [mM] (x, y, z, t)")
          .out<Image>("vfa", "signal at several flip angles (x, y, z, flip); none with concentration",
                      {.required = false})
          .out<Image>("mask", "voxels with tissue")
          .out<ParameterMaps>("truth", "parameters, T10, M0")
          .out<Aif>("aif", "arterial plasma concentration [mM]")
          .out<Aif>("portal", "of the portal vein, for models with two inputs", {.required = false})
          .set(Setting::choice("model", "which model", d.model, dce::reference_models().ids()))
          .set(Setting::choice("kind", "what the dynamic series holds", "signal", {"signal", "concentration"}))
          .set([] {
            auto s = Setting::numbers("grid", "voxels along x, y and z", {64, 64, 24});
            s.lower = 1, s.upper = 2048;
            return s;
          }())
          .set({"frames", "number of frames", 60, 3, 100000})
          .set(Setting{"frame_time", "time between frames", 5.0, 0.01, 600}.in("s"))
          .set({"params", "levels of parameters: 'Ktrans=0.05 0.25 1/min, ve=0.2 0.4'; others as they are by default",
                ""})
          .set(Setting::choice("aif", "population input", d.aif, dce::aif_models().ids()))
          .set(Setting{"arrival", "when the bolus arrives in the artery", d.arrival, 0, 3600}.in("s"))
          .set(Setting{"Hct", "haematocrit", d.Hct, 0, 0.9}.by(0.01))
          .set(Setting{"delay", "further delay to the tissue", 0.0, -60, 120}.in("s"))
          .set({"snr", "baseline signal over noise; 0: no noise", 100.0, 0, 1e6})
          .set(Setting{"noise", "standard deviation of the noise of the concentration", 0.0, 0, 100}.in("mM"))
          .set(Setting{"FA", "flip angle of the dynamic series", 15.0, 0.01, 180}.in("deg"))
          .set(Setting{"TR", "repetition time", 5.0, 0.1, 20000}.in("ms"))
          .set(Setting{"r1", "relaxivity", d.r1, 0.01, 200}.in("1/(s mM)"))
          .set({"M0", "equilibrium signal", d.M0, 1e-6, 1e9})
          .set(Setting::numbers("vfa_FA", "flip angles of the T1 series", {2, 5, 10, 15}).in("deg"))
          .set(Setting::numbers("T10", "levels of T1 before contrast", d.T10).in("s"))
          .set({"seed", "of the noise", 1, 0, 2147483647})
          .run(dro)
          .validate(adapt));
}

}  // namespace larmor::nodes
