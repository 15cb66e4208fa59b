// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/traj_ports.hpp>
#include <larmor/recon/trajectory/radial.hpp>

namespace larmor::nodes {
namespace {

using recon::PropellerProtocol;

void compute(flow::Ports& io) {
  const PropellerProtocol p{.line = line_of(io), .blades = io.setting("blades"), .lines = io.setting("lines")};
  ArmWaveforms waves = recon::design_propeller(p);
  waves.sampling.delay = delay_of(io), waves.sampling.echo_time = echo_time_of(io);
  const auto n = p.line.matrix(), blades = static_cast<std::int64_t>(waves.arms.size()) / p.lines;
  put_outputs(io, waves, {n, n}, fmt::format("PROPELLER of {} blades of {} lines", blades, p.lines),
              {{"line", p.lines}, {"blade", blades}});
}

}  // namespace

void register_traj_propeller(flow::NodeTypes& nodes) {
  flow::NodeType type{
      .title = "PROPELLER",
      .does = "Designs blades of parallel lines around the centre of k-space, and gives waveforms and positions",
      .from = "Pipe, MRM 42:963 (1999)",
      .help =
          "Blade b is turned by pi b / blades. pi n / (2 lines) blades cover the disc; more of them overlap "
          "at the edge. Positions are (sample, line, blade, d).",
      .tags = {"trajectory", "blades", "motion", "waveform"}};
  add_outputs(type);
  std::move(type)
      .set({"blades", "blades in all; 0: as few as cover the disc", 0, 0, 100000})
      .set({"lines", "lines of a blade", 24, 1, 10000});
  add_line(type);
  add_timing(type, 2);
  nodes.add("traj.propeller", std::move(type).run(compute));
}

}  // namespace larmor::nodes
