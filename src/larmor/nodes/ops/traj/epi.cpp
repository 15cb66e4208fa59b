// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/traj_ports.hpp>

namespace larmor::nodes {
namespace {

using recon::EpiProtocol;

void compute(flow::Ports& io) {
  EpiProtocol p{.line = line_of(io),
                .fov_y = 1e-3 * double(io.setting("fov_y")),
                .lines = io.setting("lines"),
                .shots = io.setting("shots"),
                .partial = io.setting("partial")};
  if (p.fov_y == 0) p.fov_y = p.line.fov;
  if (p.lines == 0) p.lines = 2 * static_cast<std::int64_t>(std::ceil(p.fov_y / p.line.resolution / 2 * (1 - 1e-12)));
  auto waves = recon::design_epi(p);
  waves.sampling.delay = delay_of(io), waves.sampling.echo_time = echo_time_of(io);
  put_outputs(io, waves, {p.line.matrix(), p.lines + p.lines % 2},
              fmt::format("EPI of {} lines in {} shots", p.lines, p.shots));
}

}  // namespace

void register_traj_epi(flow::NodeTypes& nodes) {
  flow::NodeType type{
      .title = "EPI",
      .does =
          "Designs echo-planar readouts, lines to and fro in one or several shots, and gives waveforms and positions",
      .from = "Mansfield, J Phys C 10:L55 (1977)",
      .help =
          "Samples lie on the flat tops, between them a blip goes to the next line; the ramps are as steep as "
          "line and blip together may be. Shot s takes the lines s, s + shots, ... Positions are (sample of "
          "all lines, shot, d), each with its time.",
      .tags = {"trajectory", "echo planar", "blip", "waveform"}};
  add_outputs(type);
  std::move(type)
      .set({"lines", "lines along y; 0: the field of view over the resolution", 0, 0, 100000})
      .set({"shots", "excitations that share the lines", 1, 1, 100000})
      .set({"partial", "part of the lines that is taken, the last ones", 1.0, 0.5, 1.0})
      .set(flow::Setting("fov_y", "field of view along y; 0: as along x [mm]", 0.0, 0.0, 10000.0).in("mm"));
  add_line(type);
  add_timing(type, 2);
  nodes.add("traj.epi", std::move(type).run(compute));
}

}  // namespace larmor::nodes
