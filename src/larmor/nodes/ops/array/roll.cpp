// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Array out = in.data;
  for (const auto& item : axis_texts(in.data, io.setting("by"))) {
    const double by = real(item);
    out = by == std::floor(by) ? nd::roll(out, item.axis, static_cast<std::int64_t>(by), &io.cancel())
                               : nd::roll_by_phase(out, item.axis, by, &io.cancel());
  }
  io.out("out") = in.with(std::move(out));
}

}  // namespace

void register_array_roll(flow::NodeTypes& nodes) {
  nodes.add("array.roll",
            flow::NodeType{.title = "Shift",
                           .does = "Moves elements along axes; what leaves at one end comes in at the other",
                           .help = "Parts of an element are moved by Fourier's shift theorem, "
                                   "$X_k e^{-2 \\pi i k d / n}$, which is exact for band-limited periodic signals. The "
                                   "content moves, not the grid: the affine of an image stays.",
                           .tags = {"roll", "translate", "circular", "subpixel"}}
                .in<Gridded>("in", "array")
                .out<Gridded>("out", "the same shape; integers give f32 or f64 when moved by parts of an element")
                .set({"by", "elements to move by, like: x=2, y=-0.5", "x=1"})
                .run(compute));
}

}  // namespace larmor::nodes
