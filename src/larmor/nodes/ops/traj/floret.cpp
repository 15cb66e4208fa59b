// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/traj_ports.hpp>
#include <larmor/recon/trajectory/spiral3d.hpp>
#include <numbers>

namespace larmor::nodes {
namespace {

using recon::FloretProtocol;

void compute(flow::Ports& io) {
  const FloretProtocol p{.fov = 1e-3 * double(io.setting("fov")),
                         .resolution = 1e-3 * double(io.setting("resolution")),
                         .arms = io.setting("arms"),
                         .turns = io.setting("turns"),
                         .hubs = int(io.setting("hubs")),
                         .alpha0 = double(io.setting("alpha0")) * std::numbers::pi / 180,
                         .dwell = 1e-6 * double(io.setting("dwell")),
                         .limits = limits_of(io)};
  ArmWaveforms waves = recon::design_floret(p);
  waves.sampling.delay = delay_of(io), waves.sampling.echo_time = echo_time_of(io);
  const auto n = recon::cube_matrix(p.fov, p.resolution), arms = recon::floret_arms(p);
  put_outputs(io, waves, {n, n, n}, fmt::format("FLORET, {} hubs of {} arms", p.hubs, arms),
              {{"arm", arms}, {"hub", p.hubs}});
}

}  // namespace

void register_traj_floret(flow::NodeTypes& nodes) {
  flow::NodeType type{
      .title = "FLORET",
      .does =
          "Designs spirals on cones around one to three axes, from the centre of k-space, and gives waveforms and "
          "positions",
      .from = "Pipe et al., MRM 66:1303 (2011)",
      .help =
          "Arms wind as Fermat's spiral, dtheta/dr = 4 pi r FOV^2 alpha0 / arms, on cones at even elevations "
          "between -alpha0 and alpha0, each turned by the golden angle: samples fill each shell evenly. Three "
          "hubs of 45 degrees cover the sphere. Positions are (sample, arm, hub, d).",
      .tags = {"trajectory", "3d", "cones", "spiral", "fermat", "hubs", "waveform"}};
  add_outputs(type);
  std::move(type)
      .set(flow::Setting("fov", "field of view [mm]", 240.0, 1.0, 10000.0).in("mm"))
      .set(flow::Setting("resolution", "size of a voxel [mm]", 4.0, 0.001, 1000.0).in("mm"))
      .set({"arms", "arms of a hub; 0: as many as give the turns", 0, 0, 1000000})
      .set({"turns", "turns of an arm around its axis, where arms is 0", 4.0, 0.01, 1000.0})
      .set({"hubs", "axes around which cones lie", 3, 1, 3})
      .set(flow::Setting("alpha0", "greatest elevation of a cone [deg]", 45.0, 0.1, 90.0).in("deg"))
      .set(flow::Setting("dwell", "time between samples [us]", 5.0, 0.01, 1000.0).in("us"));
  add_limits(type);
  add_timing(type, 3);
  nodes.add("traj.floret", std::move(type).run(compute));
}

}  // namespace larmor::nodes
