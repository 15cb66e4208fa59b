// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/trajectory/edit.hpp>
#include <numbers>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  io.out("trajectory") = recon::stack(io.in<Trajectory>("trajectory"), io.setting("partitions"), io.setting("fov_z"),
                                      double(io.setting("angle")) * std::numbers::pi / 180);
}

}  // namespace

void register_traj_stack(flow::NodeTypes& nodes) {
  nodes.add(
      "traj.stack",
      flow::NodeType{
          .title = "Stack",
          .does = "Repeats a trajectory of a plane in partitions along z",
          .from = "Irarrazabal & Nishimura, MRM 33:656 (1995)",
          .help = "Partition p lies at kz = p - floor(n/2), turned by p times the angle (111.25 degrees: golden). "
                  "Positions are (sample, arm, ..., partition, d).",
          .tags = {"trajectory", "3d", "stack of spirals", "stack of stars"}}
          .in<Trajectory>("trajectory", "positions in a plane (sample, arm, d)")
          .out<Trajectory>("trajectory", "positions with three coordinates")
          .set({"partitions", "partitions along z", 16, 1, 100000})
          .set(flow::Setting("fov_z", "field of view along z [mm]", 100.0, 0.001, 10000.0).in("mm"))
          .set(flow::Setting("angle", "turn from partition to partition [deg]", 0.0, -360.0, 360.0).in("deg"))
          .run(compute));
}

}  // namespace larmor::nodes
