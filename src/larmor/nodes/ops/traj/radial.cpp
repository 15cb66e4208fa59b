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
  ArmWaveforms waves = recon::design_radial(p);
  waves.sampling.delay = delay_of(io), waves.sampling.echo_time = echo_time_of(io);
  put_outputs(io, waves, {p.line.matrix(), p.line.matrix()}, fmt::format("{} radial spokes", waves.arms.size()));
}

}  // namespace

void register_traj_radial(flow::NodeTypes& nodes) {
  flow::NodeType type{
      .title = "Radial",
      .does = "Designs spokes in a plane, through the centre of k-space or from it, and gives waveforms and positions",
      .from = "Lauterbur, Nature 242:190 (1973); Winkelmann et al., IEEE TMI 26:68 (2007)",
      .help =
          "Spokes at even angles, or each turned by the golden angle: pi / 1.618 (111.25 degrees) through "
          "the centre, 137.51 degrees from it. pi n / 2 spokes leave gaps of one cycle/FOV at the edge.",
      .tags = {"trajectory", "projection", "spokes", "stars", "golden angle", "waveform"}};
  add_outputs(type);
  std::move(type)
      .set({"spokes", "spokes in all; 0: as many as sample the edge fully", 0, 0, 1000000})
      .set({"golden", "golden angles instead of even ones", false})
      .set({"from_centre", "spokes begin at the centre and are sampled on the rising gradient too", false});
  add_line(type);
  add_timing(type, 2);
  nodes.add("traj.radial", std::move(type).run(compute));
}

}  // namespace larmor::nodes
