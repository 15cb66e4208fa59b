// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/nufft_ports.hpp>
#include <larmor/recon/trajectory/edit.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const Array k = io.in<Array>("positions");
  auto matrix = voxels_of(io.setting("matrix").numbers(), "matrix");
  const auto d = static_cast<std::size_t>(k.rank() > 0 ? k.extent(k.rank() - 1) : 0);
  if (matrix.size() == 1) matrix.resize(d, matrix[0]);
  std::vector<double> fov = io.setting("fov").numbers();
  if (fov.size() == 1) fov.resize(d, fov[0]);
  Trajectory traj = recon::from_positions(k, recon::k_unit(io.setting("unit").str()), matrix, fov);
  if (io.has("times")) traj.times = io.in<std::vector<double>>("times");
  traj.check();
  io.out("trajectory") = traj;
}

}  // namespace

void register_traj_from_array(flow::NodeTypes& nodes) {
  using flow::Setting;
  nodes.add(
      "traj.from_array",
      flow::NodeType{
          .title = "Trajectory from array",
          .does = "Makes a trajectory of positions that come as numbers",
          .help = "The last axis holds the coordinates kx, ky(, kz); the first is that of the samples. An image of n "
                  "voxels holds -n/2 <= k < n/2 cycles/FOV.",
          .tags = {"trajectory", "import", "k-space"}}
          .in<Array>("positions", "real positions (sample, arm, ..., d)")
          .maybe<std::vector<double>>("times", "when each sample of an arm is taken [s]")
          .out<Trajectory>("trajectory", "positions [cycles/FOV]")
          .set(Setting::choice("unit", "of the positions", "cycles/FOV",
                               {"cycles/FOV", "cycles/pixel", "rad/pixel", "cycles/m"}))
          .set(Setting::numbers("matrix", "size of the image, one number or one an axis", {256}))
          .set(Setting::numbers("fov", "field of view [mm], one number or one an axis; empty: not known", {}))
          .run(compute));
}

}  // namespace larmor::nodes
