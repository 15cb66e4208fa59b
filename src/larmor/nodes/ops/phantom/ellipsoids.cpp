// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/sim/synthesis.hpp>
#include <numbers>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto traj = io.in<Trajectory>("traj");
  const int dims = traj.dimensions();
  std::vector<sim::Ellipsoid> object;
  if (io.has("objects")) {
    const auto v = io.in<std::vector<double>>("objects");
    const std::size_t width = dims == 2 ? 6 : 8;
    if (v.empty() || v.size() % width)
      throw Error(Errc::shape, fmt::format("{} numbers for ellipses of {} each", v.size(), width),
                  dims == 2 ? "give intensity, a, b, x, y, angle for each"
                            : "give intensity, a, b, c, x, y, z, angle for each");
    const double turn = std::numbers::pi / 180;
    for (std::size_t k = 0; k < v.size(); k += width) {
      const double* r = &v[k];
      if (dims == 2)
        object.push_back({r[0], {r[1], r[2], 1}, {r[3], r[4], 0}, r[5] * turn});
      else
        object.push_back({r[0], {r[1], r[2], r[3]}, {r[4], r[5], r[6]}, r[7] * turn});
    }
  } else {
    object = dims == 3 ? sim::shepp_logan_3d() : sim::shepp_logan(io.setting("contrast").str() == "high");
  }
  io.out("data") = sim::ellipsoid_signal(object, traj, &io.cancel());
}

}  // namespace

void register_phantom_ellipsoids(flow::NodeTypes& nodes) {
  nodes.add(
      "phantom.ellipsoids",
      flow::NodeType{
          .title = "k-space of ellipsoids on a trajectory",
          .does = "Makes the exact k-space of ellipses, ellipsoids or a head phantom at the samples of any trajectory",
          .from = "Van de Walle et al., IEEE Trans. Med. Imaging 19:1160 (2000); Koay et al., MRM 58:430 (2007)",
          .help = "In units of the sum over the voxels of the trajectory's matrix. No grid is involved: what is "
                  "reconstructed of it commits no inverse crime.",
          .tags = {"Shepp-Logan", "non-Cartesian", "spiral", "radial", "simulation", "truth"}}
          .in<Trajectory>("traj", "where to sample")
          .maybe<std::vector<double>>(
              "objects",
              "intensity, a, b, x, y, angle [deg] for each ellipse in a field of view from -1 to 1; in "
              "three dimensions intensity, a, b, c, x, y, z, angle; the phantom of Shepp and Logan when not wired")
          .out<Array>("data", "k-space, axes of the trajectory's samples")
          .set(flow::Setting::choice("contrast", "of the head in two dimensions", "high", {"high", "original"}))
          .run(compute));
}

}  // namespace larmor::nodes
