// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void first_pass(flow::Ports& io) {
  Image c = series_in(io, "concentration");
  if (io.setting("method").str() != "none") {
    const auto p = dsc::first_pass(c.data.cast(DType::f32).contiguous_copy(), c.times, io.in<double>("arrival"),
                                   mask_in(io, "mask", c), io.setting("cut"), io.progress(), &io.cancel());
    c.data = p.curves.with_axes({"x", "y", "z", "t"});
  }
  io.out("concentration") = c;
}

}  // namespace

void register_dsc_first_pass(flow::NodeTypes& nodes) {
  nodes.add(
      "dsc.first_pass",
      flow::NodeType{.title = "First pass",
                     .does = "Tissue curves without recirculation, by fits of a gamma variate",
                     .from = "Thompson et al., Circ. Res. 14:502 (1964)",
                     .help = "Fitted up to where the mean curve has fallen to a share of its peak, drawn over all "
                             "frames. Voxels whose fit fails have no curve.",
                     .tags = {"DSC", "gamma variate", "recirculation"}}
          .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
          .in<double>("arrival", "arrival of the bolus in the artery [s] (dsc.input_function)")
          .maybe<Gridded>("mask", "voxels to fit; all when nothing is wired")
          .out<Image>("concentration", "first passes [mM]")
          .set(
              Setting::choice("method", "fit them, or leave the curves as they are", "none", {"none", "gamma_variate"}))
          .set(Setting{"cut", "share of the peak down to which the mean curve is fitted", 0.3, 0.01, 0.99})
          .run(first_pass)
          .validate([](flow::Form& form) {
            if (form.setting("method").str() == "none") form.hide("cut");
          }));
}

}  // namespace larmor::nodes
