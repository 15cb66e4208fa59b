// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void leakage(flow::Ports& io) {
  const Image dR2 = series_in(io, "dR2");
  if (io.setting("method").str() == "none") {
    io.out("dR2") = dR2;
    return;
  }
  dsc::LeakageOptions o;
  o.method = io.setting("method").str();
  o.tail = static_cast<int>(io.setting("tail")), o.shape_terms = static_cast<int>(io.setting("shape_terms"));
  o.significance = io.setting("significance"), o.device = io.device();
  if (!baseline_in(io, o.baseline_first, o.baseline_last))
    throw Error(Errc::usage, "the frames before the bolus are not known", "wire 'baseline' of dsc.relaxation");
  const auto l = dsc::correct_leakage(dR2.data.cast(DType::f32).contiguous_copy(), dR2.times, mask_in(io, "mask", dR2),
                                      o, &io.cancel());
  Image out = dR2;
  out.data = l.corrected.with_axes({"x", "y", "z", "t"});
  io.out("dR2") = out;
  io.out("maps") = dsc::maps_of(l, reference_of(dR2));
  io.out("reference") = Curve{.x = dR2.times, .y = {l.reference}, .label = "dR2", .unit = "1/s"};
}

std::vector<std::string> methods() {
  auto all = dsc::leakages().ids();
  all.emplace_back("none");
  return all;
}

}  // namespace

void register_dsc_leakage(flow::NodeTypes& nodes) {
  nodes.add(
      "dsc.leakage",
      flow::NodeType{.title = "Leakage correction",
                     .does = "Takes the effect of contrast agent that leaks out of vessels out of dR2* curves",
                     .from = "Boxerman et al., AJNR 27:859 (2006); Leu et al., JMRI 44:1229 (2016)",
                     .help = "$\\Delta R_2^*(t) = K_1 m(t) - K_2 \\int m(s) e^{-k_{ep}(t-s)} ds$ with $m$ the mean "
                             "curve of voxels that do not leak. The data are corrected by the leakage term and "
                             "keep everything else, so the contrast of CBV stays.",
                     .tags = {"DSC", "BSW", "permeability", "tumour", "K2"}}
          .in<Image>("dR2", "change of the relaxation rate [1/s] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
          .maybe<std::vector<double>>("baseline", "frames before the bolus (dsc.relaxation)")
          .maybe<Gridded>("mask", "voxels to correct; all when nothing is wired")
          .out<Image>("dR2", "corrected [1/s]")
          .out<ParameterMaps>("maps", "K2 with its standard error, and kep", {.required = false})
          .out<Curve>("reference", "mean curve of voxels that do not leak [1/s]", {.required = false})
          .set(Setting::choice("method", "how", "none", methods()))
          .set(Setting{"tail", "last frames, where voxels of the reference are back at the baseline", 10, 1, 1000})
          .set(Setting{"shape_terms",
                       "curves beside the reference that allow for other delays and transit times; "
                       "0: the equation of the papers",
                       4, 0, 4})
          .set(Setting{"significance", "voxels whose K2 is within this many standard errors of 0 stay as they are", 2.0,
                       0, 100})
          .run(leakage)
          .validate([](flow::Form& form) {
            if (form.setting("method").str() == "none")
              for (const char* name : {"tail", "shape_terms", "significance"}) form.hide(name);
          }));
}

}  // namespace larmor::nodes
