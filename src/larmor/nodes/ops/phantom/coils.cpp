// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/axes.hpp>
#include <larmor/sim/coils.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto like = io.in<Gridded>("like");
  const int rank = std::min(3, like.data.rank());
  Shape shape(like.data.shape().begin(), like.data.shape().begin() + rank);
  const bool flat = rank == 3 && shape[2] == 1;
  if (flat) shape.pop_back();
  Array maps = sim::coil_sensitivities({.n_coils = int(io.setting("coils")),
                                        .distance = io.setting("distance"),
                                        .radius = io.setting("radius"),
                                        .rings = int(io.setting("rings"))},
                                       shape, &io.cancel());
  Axes axes(like.data.axes().begin(), like.data.axes().begin() + rank);
  Shape full(like.data.shape().begin(), like.data.shape().begin() + rank);
  full.push_back(maps.extent(maps.rank() - 1)), axes.emplace_back("coil");
  io.out("maps") = like.with(maps.reshaped(full, axes));
}

}  // namespace

void register_phantom_coils(flow::NodeTypes& nodes) {
  nodes.add("phantom.coils",
            flow::NodeType{.title = "Coil sensitivities",
                           .does = "Makes the receive sensitivities of loops around the field of view",
                           .from = "Hoult, Concepts Magn. Reson. 12:173 (2000)",
                           .help = "The field of a unit current in each circular loop by the law of Biot and Savart, "
                                   "$B_x - i B_y$, scaled to a root of the sum of squares of 1 in the middle.",
                           .tags = {"phantom", "parallel imaging", "receive", "B1"}}
                .in<Gridded>("like", "array over whose grid the field is worked out, (x, y) or (x, y, z)")
                .out<Gridded>("maps", "complex sensitivities, a new axis coil last")
                .set({"coils", "number of loops", 8, 1, 256})
                .set({"distance", "of the loops from the middle, over half the field of view", 1.5, 0.5, 100.0})
                .set({"radius", "of the loops, over half the field of view", 0.7, 0.001, 100.0})
                .set({"rings", "rows of loops along z", 1, 1, 256})
                .run(compute));
}

}  // namespace larmor::nodes
