// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void dro(flow::Ports& io) {
  dsc::DroOptions o;
  const auto grid = io.setting("grid").numbers();
  if (grid.size() != 3) throw Error(Errc::usage, "'grid' does not hold 3 numbers", "give voxels along x, y and z");
  for (std::size_t i = 0; i < 3; ++i) o.grid[i] = static_cast<std::int64_t>(grid[i]);
  for (int i = 0; i < static_cast<int>(io.setting("frames")); ++i)
    o.times.push_back(i * static_cast<double>(io.setting("frame_time")));
  o.residue = io.setting("residue").str();
  o.CBF = io.setting("CBF").numbers(), o.MTT = io.setting("MTT").numbers(), o.delay = io.setting("delay").numbers();
  o.Ktrans = io.setting("Ktrans").numbers(), o.kep = io.setting("kep");
  o.arrival = io.setting("arrival"), o.recirculation = io.setting("recirculation");
  o.TE = static_cast<double>(io.setting("TE")) * units::millisecond;
  o.snr = io.setting("snr"), o.seed = static_cast<unsigned>(static_cast<int>(io.setting("seed")));
  auto made = dsc::make_dro(o, &io.cancel());
  made.dynamic.data = made.dynamic.data.with_axes({"x", "y", "z", "t"});
  io.out("dynamic") = made.dynamic;
  io.out("mask") = place_of(made.mask, made.mask.data);
  io.out("artery") = place_of(made.artery, made.artery.data);
  io.out("reference") = place_of(made.reference, made.reference.data);
  io.out("truth") = made.truth;
  io.out("aif") = made.aif;
}

}  // namespace

void register_dsc_dro(flow::NodeTypes& nodes) {
  const dsc::DroOptions d;
  nodes.add(
      "dsc.dro",
      flow::NodeType{.title = "DSC reference object",
                     .does = "First pass through blocks of known flow, transit time, delay and leakage",
                     .help = "Tissue by quadrature of a continuous input, independent of deconvolution; artery in a "
                             "corner, by the quadratic relation of blood at 1.5 T.",
                     .tags = {"DSC", "DRO", "phantom", "simulation"}}
          .out<Image>("dynamic", "signal (x, y, z, t) with times and echo time")
          .out<Image>("mask", "tissue")
          .out<Image>("artery", "voxels of the artery")
          .out<Image>("reference", "tissue of the lowest flow that does not leak")
          .out<ParameterMaps>("truth", "CBF, CBV, MTT, delay, Ktrans")
          .out<Aif>("aif", "whole blood at the frames [mM]")
          .set(Setting::numbers("grid", "voxels along x, y and z", {48, 40, 12}))
          .set(Setting{"frames", "how many", 60, 8, 10000})
          .set(Setting{"frame_time", "time between frames", 1.5, 0.05, 60}.in("s"))
          .set(Setting::choice("residue", "of the tissue", d.residue, dsc::residues().ids()))
          .set(Setting::numbers("CBF", "levels of flow [mL/min/100g]", d.CBF))
          .set(Setting::numbers("MTT", "levels of transit time [s]", d.MTT))
          .set(Setting::numbers("delay", "levels of delay [s]", d.delay))
          .set(Setting::numbers("Ktrans", "levels of leakage [1/min]", d.Ktrans))
          .set(Setting{"kep", "rate at which what leaked comes back", 0.0, 0, 60}.in("1/min"))
          .set(Setting{"arrival", "of the bolus in the artery", d.arrival, 0, 600}.in("s"))
          .set(Setting{"recirculation", "height of the second pass over that of the first", 0.0, 0, 1})
          .set(Setting{"TE", "echo time", 30.0, 1, 200}.in("ms"))
          .set(Setting{"snr", "baseline signal over the sd of the noise; 0: no noise", 50.0, 0, 1e6})
          .set(Setting{"seed", "of the noise", 1, 0, 2147483647})
          .run(dro));
}

}  // namespace larmor::nodes
