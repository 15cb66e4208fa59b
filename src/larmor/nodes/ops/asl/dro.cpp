// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/asl/dro.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

constexpr double shown = 6;  // mL/min/100g a mm3/(g s)

Setting list(const char* name, const char* what, std::vector<double> start, double lower, double upper) {
  auto s = Setting::numbers(name, what, std::move(start));
  s.lower = lower, s.upper = upper;
  return s;
}

void dro(flow::Ports& io) {
  asl::DroOptions o;
  o.labelling = io.setting("labelling").str();
  const auto grid = io.setting("grid").numbers();
  if (grid.size() != 3) throw Error(Errc::usage, "'grid' does not hold 3 numbers", "give voxels along x, y and z");
  for (std::size_t i = 0; i < 3; ++i) o.grid[i] = static_cast<std::int64_t>(grid[i]);
  o.LD = io.setting("LD").numbers(), o.PLD = io.setting("PLD").numbers();
  o.repeats = static_cast<int>(io.setting("repeats")), o.encoding = static_cast<int>(io.setting("encoding"));
  o.CBF = io.setting("CBF").numbers(), o.ATT = io.setting("ATT").numbers();
  for (double& x : o.CBF) x /= shown;
  o.tissues = io.setting("tissues");
  o.T1 = io.setting("T1"), o.label_eff = io.setting("label_eff");
  o.suppression_pulses = static_cast<int>(io.setting("suppression_pulses"));
  o.slice_interval = io.setting("slice_interval"), o.snr = io.setting("snr");
  o.seed = static_cast<unsigned>(static_cast<int>(io.setting("seed")));
  const auto made = asl::make_dro(o);
  io.out("series") = made.series;
  io.out("M0") = made.M0;
  io.out("mask") = place_of(made.mask, made.mask.data);
  if (!made.tissue.empty()) io.out("GM") = made.tissue[0], io.out("WM") = made.tissue[1];
  io.out("truth") = made.truth;
}

}  // namespace

void register_asl_dro(flow::NodeTypes& nodes) {
  const asl::DroOptions d;
  nodes.add(
      "asl.dro",
      flow::NodeType{.title = "ASL reference object",
                     .does = "Control and label images of known flow, by a calculation independent of the fit",
                     .from = "Buxton et al., MRM 40:383 (1998)",
                     .help = "Blocks of constant flow and arrival in a rim of background, or grey and white matter in "
                             "changing fractions. The difference signal is the convolution integral by quadrature. "
                             "The series has every field that BIDS requires.",
                     .tags = {"arterial spin labelling", "DRO", "phantom", "simulation", "test"}}
          .out<Image>("series", "label, control, ... (x, y, z, t)")
          .out<Image>("M0", "M0 scan (x, y, z)")
          .out<Image>("mask", "voxels with tissue")
          .out<Image>("GM", "fraction of grey matter (with tissues)", {.required = false})
          .out<Image>("WM", "fraction of white matter (with tissues)", {.required = false})
          .out<ParameterMaps>("truth", "CBF, ATT, M0 of blood")
          .set(Setting::choice("labelling", "how blood is labelled", d.labelling, asl::labellings().ids()))
          .set(list("grid", "voxels along x, y and z", {48, 48, 10}, 5, 2048))
          .set(list("LD", "labelling duration, one or one a delay; PASL: bolus cut-off", d.LD, 0.001, 20).in("s"))
          .set(list("PLD", "post-labelling delays; PASL: inversion times", {0.5, 1.0, 1.5, 2.0}, 0, 20).in("s"))
          .set({"repeats", "pairs at each delay, or rounds of a time encoding", d.repeats, 1, 10000})
          .set({"encoding", "steps of a time encoding; 0: none", 0, 0, 192})
          .set(list("CBF", "levels of flow", {10, 20, 40, 60, 90}, 0, 1000).in("mL/min/100g"))
          .set(list("ATT", "levels of arrival", d.ATT, 0, 10).in("s"))
          .set({"tissues", "grey and white matter in changing fractions instead of levels", false})
          .set(Setting{"T1", "T1 of tissue", d.T1, 0.05, 20}.in("s"))
          .set({"label_eff", "labelling efficiency", d.label_eff, 0.01, 1})
          .set({"suppression_pulses", "background-suppression pulses", 0, 0, 20})
          .set(Setting{"slice_interval", "between slices of a 2-D readout; 0: 3-D", 0.0, 0, 1}.in("s"))
          .set({"snr", "M0 over noise of one volume; 0: no noise", 500.0, 0, 1e6})
          .set({"seed", "of the noise", 1, 0, 2147483647})
          .run(dro));
}

}  // namespace larmor::nodes
