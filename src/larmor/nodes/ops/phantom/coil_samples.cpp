// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/sim/harmonic_coils.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto traj = io.in<Trajectory>("traj");
  const sim::HarmonicCoils coils{
      .n_coils = int(io.setting("coils")), .distance = io.setting("distance"), .u = io.setting("u")};
  const auto object = traj.dimensions() == 3 ? sim::shepp_logan_3d() : sim::shepp_logan();
  io.out("samples") = sim::harmonic_samples(object, coils, traj, &io.cancel());
  const Shape shape(traj.matrix.begin(), traj.matrix.end());
  io.out("maps") = Gridded{sim::harmonic_sensitivities(coils, shape)};
  io.out("object") = Gridded{sim::raster(object, shape, traj.dimensions() == 3 ? 2 : 4, &io.cancel())};
}

}  // namespace

void register_phantom_coil_samples(flow::NodeTypes& nodes) {
  nodes.add("phantom.coil_samples",
            flow::NodeType{
                .title = "Samples of coils, exact",
                .does = "Makes what coils measure of the Shepp-Logan phantom along a trajectory, exactly",
                .from = "Van de Walle et al., IEEE Trans. Med. Imaging 19:1160 (2000); Koay et al., MRM 58:430 (2007)",
                .help = "Sensitivities that are sums of nine plane waves see of an ellipse a sum of shifted "
                        "transforms, which are known in closed form: nothing is sampled on a grid.",
                .tags = {"phantom", "k-space", "trajectory", "parallel imaging", "Shepp-Logan"}}
                .in<Trajectory>("traj", "where to sample [cycles/FOV], with its matrix size")
                .out<Array>("samples", "samples (sample, arm, ..., coil), as of a unitary transform")
                .out<Gridded>("maps", "the sensitivities (x, y[, z], coil)")
                .out<Gridded>("object", "the phantom on the matrix of the trajectory")
                .set({"coils", "number of coils, on a circle", 8, 1, 256})
                .set(flow::Setting{"distance", "of the coils from the middle", 0.5, 0.0, 10.0}.in("FOV"))
                .set(flow::Setting{"u", "of the plane waves: the larger, the narrower a coil sees", 0.6, 0.01, 4.0}.in(
                    "cycles/FOV"))
                .run(compute));
}

}  // namespace larmor::nodes
