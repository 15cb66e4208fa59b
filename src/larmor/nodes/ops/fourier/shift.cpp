// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const bool inverse = io.setting("inverse");
  Array out = in.data;
  for (const int axis : axes_or_all(in.data, io.setting("axes"))) {
    const std::int64_t n = in.data.extent(axis);
    out = nd::roll(out, axis, inverse ? n - n / 2 : n / 2, &io.cancel());
  }
  io.out("out") = in.with(std::move(out));
}

}  // namespace

void register_fourier_shift(flow::NodeTypes& nodes) {
  nodes.add("fourier.shift",
            flow::NodeType{.title = "Centre frequency 0",
                           .does = "Moves index 0 to the middle of axes, or back",
                           .help = "What is called fftshift and ifftshift elsewhere; they differ for odd lengths.",
                           .tags = {"fftshift", "ifftshift"}}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "the same shape")
                .set({"axes", "axes to shift; all when empty", ""})
                .set({"inverse", "from the middle back to index 0", false})
                .validate([](flow::Form& form) { offer_axes(form, "in", "axes"); })
                .run(compute));
}

}  // namespace larmor::nodes
