// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/unwrap.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const bool complex = in.data.dtype() == DType::c64 || in.data.dtype() == DType::c128;
  const Array phase = complex ? nd::apply(nd::Unary::phase, in.data, &io.cancel()) : in.data;
  const std::string method = io.setting("method");
  if (method == "axis") {
    io.out("out") = in.with(nd::unwrap_axis(phase, need_axis(phase, io.setting("axis")), &io.cancel()));
    return;
  }
  const int dimensions = method == "volume" ? 3 : 2;
  Array out;
  if (io.has("mask")) {
    const Array mask = io.in<Gridded>("mask").data;
    out = nd::unwrap_by_quality(phase, dimensions, &mask, &io.cancel());
  } else {
    out = nd::unwrap_by_quality(phase, dimensions, nullptr, &io.cancel());
  }
  io.out("out") = in.with(std::move(out));
}

}  // namespace

/// phase.unwrap and phase.wrap.
void register_phase_unwrap(flow::NodeTypes& nodes) {
  nodes.add(
      "phase.unwrap",
      flow::NodeType{.title = "Unwrap phase",
                     .does = "Takes the jumps of full turns out of a phase",
                     .from = "Itoh, Applied Optics 21:2470 (1982); Herraez et al., Applied Optics 41:7437 (2002); "
                             "Abdul-Rahman et al., Applied Optics 46:6623 (2007)",
                     .help = "- axis: every step along one axis becomes the one nearest to 0 (Itoh).\n"
                             "- plane, volume: neighbours are joined in the order of their reliability, the "
                             "inverse of the second differences around them (Herraez; Abdul-Rahman), so that "
                             "noise stays where it is.\n\nOutside the mask is NaN.",
                     .tags = {"phase", "B0", "field map", "quality guided"}}
          .in<Gridded>("in", "phase [rad], or complex numbers whose phase is taken")
          .maybe<Gridded>("mask", "for plane and volume: where there is signal")
          .out<Gridded>("out", "phase [rad]")
          .set(flow::Setting::choice("method", "along one axis, or by quality in the first two or three", "plane",
                                     {"axis", "plane", "volume"}))
          .set({"axis", "axis of method axis", "x"})
          .validate([](flow::Form& form) {
            offer_axes(form, "in", "axis");
            if (form.setting("method").str() != "axis") form.hide("axis");
          })
          .run(compute));
  nodes.add("phase.wrap", flow::NodeType{.title = "Wrap phase", .does = "Brings a phase into (-pi, pi]"}
                              .in<Gridded>("in", "phase [rad]")
                              .out<Gridded>("out", "phase in (-pi, pi] [rad]")
                              .run([](flow::Ports& io) {
                                const auto in = io.in<Gridded>("in");
                                io.out("out") = in.with(nd::wrap(in.data, &io.cancel()));
                              }));
}

}  // namespace larmor::nodes
