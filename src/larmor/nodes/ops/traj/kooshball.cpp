// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/traj_ports.hpp>
#include <larmor/recon/trajectory/radial.hpp>

namespace larmor::nodes {
namespace {

using recon::RadialProtocol;

void compute(flow::Ports& io) {
  const RadialProtocol p{.line = line_of(io, bool(io.setting("from_centre"))),
                         .spokes = io.setting("spokes"),
                         .golden = io.setting("golden")};
  ArmWaveforms waves = recon::design_kooshball(p);
  waves.sampling.delay = delay_of(io), waves.sampling.echo_time = echo_time_of(io);
  const auto n = p.line.matrix();
  put_outputs(io, waves, {n, n, n}, fmt::format("{} spokes over a sphere", waves.arms.size()));
}

}  // namespace

void register_traj_kooshball(flow::NodeTypes& nodes) {
  flow::NodeType type{
      .title = "Kooshball",
      .does =
          "Designs spokes over a sphere, through the centre of k-space or from it, and gives waveforms and positions",
      .from = "Chan et al., MRM 61:354 (2009)",
      .help =
          "Directions at even heights, each turned by the golden angle; or by the golden means of two "
          "dimensions (0.4656, 0.6823), so that every run of spokes covers the sphere. pi n^2 / 2 spokes "
          "through the centre leave gaps of one cycle/FOV at the edge.",
      .tags = {"trajectory", "projection", "3d radial", "spokes", "golden means", "waveform"}};
  add_outputs(type);
  std::move(type)
      .set({"spokes", "spokes in all; 0: as many as sample the edge fully", 10000, 0, 20000000})
      .set({"golden", "golden means instead of even heights", false})
      .set({"from_centre", "spokes begin at the centre and are sampled on the rising gradient too", false});
  add_line(type);
  add_timing(type, 3);
  nodes.add("traj.kooshball", std::move(type).run(compute));
}

}  // namespace larmor::nodes
