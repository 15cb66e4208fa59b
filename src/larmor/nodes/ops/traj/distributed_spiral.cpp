// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/traj_ports.hpp>
#include <larmor/recon/trajectory/spiral3d.hpp>

namespace larmor::nodes {
namespace {

using recon::DistributedProtocol;

void compute(flow::Ports& io) {
  const DistributedProtocol p{.spiral = {.fov = 1e-3 * double(io.setting("fov")),
                                         .resolution = 1e-3 * double(io.setting("resolution")),
                                         .arms = io.setting("arms"),
                                         .dwell = 1e-6 * double(io.setting("dwell")),
                                         .limits = limits_of(io),
                                         .true_resolution = io.setting("true_resolution")},
                              .fov_z = 1e-3 * double(io.setting("fov_z")),
                              .resolution_z = 1e-3 * double(io.setting("resolution_z")),
                              .sphere = io.setting("shape").str() == "sphere"};
  ArmWaveforms waves = recon::design_distributed(p, &io.cancel());
  waves.sampling.delay = delay_of(io), waves.sampling.echo_time = echo_time_of(io);
  const auto n = recon::spiral_matrix(p.spiral.fov, p.spiral.resolution, p.spiral.true_resolution);
  put_outputs(io, waves, {n, n, recon::cube_matrix(p.fov_z, p.resolution_z)},
              fmt::format("{} distributed spirals in a {}", waves.arms.size(), io.setting("shape").str()));
}

}  // namespace

void register_traj_distributed_spiral(flow::NodeTypes& nodes) {
  flow::NodeType type{
      .title = "Distributed spirals",
      .does =
          "Designs spirals in planes along z, one arm in each, over a cylinder or a sphere, and gives waveforms and "
          "positions",
      .from = "Turley & Pipe, MRM 70:413 (2013)",
      .help =
          "Planes lie closer than one cycle/FOV, and each arm is turned by the golden angle against the one below. "
          "In a sphere the discs shrink as they should, and there are as many as their area needs, so that all "
          "arms take the same time: two thirds of the arms of a cylinder.",
      .tags = {"trajectory", "3d", "spiral", "stack", "cylinder", "sphere", "waveform"}};
  add_outputs(type);
  std::move(type)
      .set(flow::Setting("fov", "field of view in x and y [mm]", 240.0, 1.0, 10000.0).in("mm"))
      .set(flow::Setting("resolution", "size of a voxel in x and y [mm]", 4.0, 0.001, 1000.0).in("mm"))
      .set(flow::Setting("fov_z", "field of view along z [mm]", 120.0, 1.0, 10000.0).in("mm"))
      .set(flow::Setting("resolution_z", "size of a voxel along z [mm]", 4.0, 0.001, 1000.0).in("mm"))
      .set({"arms", "arms of a plane that is fully sampled", 8, 1, 100000})
      .set(flow::Setting::choice("shape", "what k-space is filled", "sphere", {"cylinder", "sphere"}))
      .set({"true_resolution", "go out by 2/sqrt(pi) in x and y, and enlarge the matrix by 1.25", false})
      .set(flow::Setting("dwell", "time between samples [us]", 5.0, 0.01, 1000.0).in("us"));
  add_limits(type);
  add_timing(type, 3);
  nodes.add("traj.distributed_spiral", std::move(type).run(compute));
}

}  // namespace larmor::nodes
