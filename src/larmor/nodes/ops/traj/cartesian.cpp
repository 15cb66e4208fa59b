// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/traj_ports.hpp>

namespace larmor::nodes {
namespace {

using recon::CartesianProtocol;

void compute(flow::Ports& io) {
  CartesianProtocol p{.line = line_of(io), .fov_y = 1e-3 * double(io.setting("fov_y"))};
  if (p.fov_y == 0) p.fov_y = p.line.fov;
  const std::int64_t lines = io.setting("lines"), partitions = io.setting("partitions");
  p.n_y = lines > 0 ? lines : 2 * static_cast<std::int64_t>(std::ceil(p.fov_y / p.line.resolution / 2 * (1 - 1e-12)));
  if (partitions > 1) p.n_z = partitions, p.fov_z = 1e-3 * double(io.setting("fov_z"));
  ArmWaveforms waves = recon::design_cartesian(p);
  waves.sampling.delay = delay_of(io), waves.sampling.echo_time = echo_time_of(io);
  std::vector<std::int64_t> matrix{p.line.matrix(), p.n_y};
  std::vector<std::pair<std::string, std::int64_t>> axes{{"line", p.n_y}};
  if (p.fov_z > 0) matrix.push_back(p.n_z), axes.emplace_back("partition", p.n_z);
  put_outputs(io, waves, matrix, fmt::format("Cartesian, {} lines", waves.arms.size()), axes);
}

}  // namespace

void register_traj_cartesian(flow::NodeTypes& nodes) {
  flow::NodeType type{
      .title = "Cartesian",
      .does = "Designs parallel lines along x, one an excitation, and gives waveforms and positions",
      .from = "Edelstein et al., Phys Med Biol 25:751 (1980)",
      .help =
          "Sample floor(n/2) of line floor(lines/2) lies at k = 0. The prewinder makes the phase encoding, and "
          "the rewinder takes it back. Positions are (sample, line[, partition], d).",
      .tags = {"trajectory", "spin warp", "phase encoding", "waveform"}};
  add_outputs(type);
  std::move(type)
      .set({"lines", "lines along y; 0: the field of view over the resolution", 0, 0, 100000})
      .set({"partitions", "partitions along z; 1: a plane", 1, 1, 100000})
      .set(flow::Setting("fov_y", "field of view along y; 0: as along x [mm]", 0.0, 0.0, 10000.0).in("mm"))
      .set(flow::Setting("fov_z", "field of view along z [mm]", 100.0, 1.0, 10000.0).in("mm"));
  add_line(type);
  add_timing(type, 3);
  nodes.add("traj.cartesian", std::move(type).run(compute));
}

}  // namespace larmor::nodes
