// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void deconvolve(flow::Ports& io) {
  const Image c = series_in(io, "concentration");
  const Aif aif = input_in(io, c);
  dsc::DeconvolutionOptions o;
  o.method = io.setting("method").str();
  o.rule = dsc::rule_of(io.setting("rule"));
  if (const std::string s = io.setting("structure"); s != "auto") o.structure = dsc::structure_of(s);
  if (const auto s = io.setting("threshold"); s.given()) o.threshold = static_cast<double>(s);
  if (const auto s = io.setting("oscillation"); s.given()) o.oscillation = static_cast<double>(s);
  o.correction = io.setting("correction").str();
  o.earliest = io.setting("earliest"), o.latest = io.setting("latest");
  o.keep_residue = io.setting("residue");
  o.device = io.device();
  int first = 0, last = 0;
  if (baseline_in(io, first, last)) o.baseline_frames = last - first;
  const dsc::Blood factors{io.setting("Hct_large"), io.setting("Hct_small"), io.setting("density")};
  const auto d = dsc::deconvolve(c.data.cast(DType::f32).contiguous_copy(), c.times, aif.values,
                                 io.in<double>("arrival"), mask_in(io, "mask", c), o, io.progress(), &io.cancel());
  io.out("maps") = dsc::maps_of(d, reference_of(c), factors, o.method, o.correction, statuses_in(io, "status", c));
  if (o.keep_residue) {
    Image residue = c;
    residue.data = d.residue.with_axes({"x", "y", "z", "t"});
    const double step = (c.times.back() - c.times.front()) / static_cast<double>(c.times.size() - 1);
    residue.times.clear();
    for (std::int64_t i = 0; i < residue.volumes(); ++i)
      residue.times.push_back(step * static_cast<double>(i - d.residue_before));
    residue.meta["Units"] = std::string("1/s");
    io.out("residue") = residue;
  }
}

std::vector<std::string> corrections() {
  auto all = dsc::residues().ids();
  all.emplace_back("none");
  return all;
}

void adapt(flow::Form& form) {
  using Kind = dsc::DeconvolutionMethod::Kind;
  const auto& m = dsc::deconvolutions().get(form.setting("method").str());
  if (m.kind != Kind::truncation) form.hide("threshold");
  if (m.kind != Kind::oscillation) form.hide("oscillation");
  if (m.kind == Kind::parametric)
    for (const char* name : {"rule", "structure", "correction", "residue"}) form.hide(name);
}

}  // namespace

void register_dsc_deconvolve(flow::NodeTypes& nodes) {
  const dsc::Blood b;
  nodes.add(
      "dsc.deconvolve",
      flow::NodeType{.title = "Flow, volume and transit time",
                     .does = "Blood flow, volume, transit time and delay from tissue curves and the arterial input",
                     .from = "Ostergaard et al., MRM 36:715 (1996); Wu et al., MRM 50:164 (2003)",
                     .help =
                         "$C = \\mathrm{CBF}\\, (C_a \\ast R)$ is solved for $\\mathrm{CBF}\\,R$, whose peak is the "
                         "flow; $\\mathrm{CBV} = \\kappa/\\rho \\int C / \\int C_a$, "
                         "$\\kappa = (1-\\mathrm{Hct}_{large})/(1-\\mathrm{Hct}_{small})$; MTT = CBV / CBF. "
                         "Regularisation lowers the peak by an amount that is known for a residue model; "
                         "'correction' gives it back.",
                     .tags = {"DSC", "CBF", "CBV", "MTT", "Tmax", "SVD", "deconvolution", "perfusion"}}
          .in<Image>("concentration", "tissue [mM] (x, y, z, t), evenly spaced", {.min_rank = 4, .max_rank = 4})
          .in<Aif>("aif", "arterial whole blood at the frames [mM] (dsc.input_function)")
          .in<double>("arrival", "arrival of the bolus in the artery [s]")
          .maybe<std::vector<double>>("baseline",
                                      "frames before the bolus, whose error is in all frames (dsc.relaxation)")
          .maybe<Gridded>("mask", "voxels to look at; all when nothing is wired")
          .maybe<Gridded>("status", "status of the steps before: voxels without a curve keep their reason")
          .out<ParameterMaps>("maps", "CBF, CBV, MTT with standard errors, Tmax, delay, first moment, TTP, quality")
          .out<Image>("residue", "residue functions times flow [1/s] (x, y, z, t)", {.required = false})
          .set(Setting::choice("method", "how", "dsc.osvd", dsc::deconvolutions().ids()))
          .set(Setting::choice("rule",
                               "how the convolution is summed: input and residue linear between frames, or steps",
                               "trapezoid", {"trapezoid", "rectangle"}))
          .set(Setting::choice("structure", "block-circulant allows any delay, causal none; auto: the method's own",
                               "auto", {"auto", "circulant", "causal"}))
          .set(optional_number("threshold",
                               "share of the largest singular value below which others are left out; empty: "
                               "the method's own",
                               0, 0.999, "1"))
          .set(optional_number("oscillation", "oscillation index that the residue may have; empty: the method's own",
                               1e-6, 10, "1"))
          .set(Setting::choice("correction",
                               "residue whose peak is given back what regularisation takes; none: as it comes",
                               "residue.exponential", corrections()))
          .set(Setting{"earliest", "first delay that is looked for", -5.0, -60, 0}.in("s"))
          .set(Setting{"latest", "last delay that is looked for", 30.0, 0.1, 300}.in("s"))
          .set({"residue", "keep the residue functions", false})
          .set(Setting{"Hct_large", "haematocrit of large vessels", b.Hct_large, 0, 0.99}.by(0.01))
          .set(Setting{"Hct_small", "haematocrit of small vessels", b.Hct_small, 0, 0.99}.by(0.01))
          .set(Setting{"density", "of tissue [g/mL]", b.density, 0.1, 10}.by(0.01))
          .run(deconvolve)
          .validate(adapt));
}

}  // namespace larmor::nodes
