// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/nufft_ports.hpp>
#include <larmor/recon/dcf/dcf.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto traj = io.in<Trajectory>("trajectory");
  const std::string method = io.setting("method");
  const flow::Value& protocol = io.value("protocol");
  const double iterations =
      reconstruction_setting(protocol, "density_compensation_iterations").value_or(double(io.setting("iterations")));
  if (!(iterations >= 1 && iterations <= 200) || iterations != std::floor(iterations))
    throw Error(Errc::range, fmt::format("protocol: {:g} density_compensation_iterations", iterations),
                "give a whole number from 1 to 200");
  const double taper = reconstruction_setting(protocol, "taper").value_or(double(io.setting("taper")));
  Array dcf;
  if (method == "voronoi")
    dcf = recon::density_voronoi(traj, &io.cancel());
  else if (method == "analytic")
    dcf = recon::density_analytic(traj);
  else
    dcf = recon::density_iterative(traj,
                                   {.iterations = static_cast<int>(iterations),
                                    .kernel = io.setting("kernel").str() == "square" ? recon::DensityKernel::square
                                                                                     : recon::DensityKernel::circular,
                                    .cancel = &io.cancel(),
                                    .progress = &io.progress()});
  io.out("out") = recon::density_taper(traj, dcf, taper);
}

}  // namespace

void register_recon_dcf(flow::NodeTypes& nodes) {
  nodes.add(
      "recon.dcf",
      flow::NodeType{
          .title = "Density compensation",
          .does = "Weighs the samples of a trajectory by the part of k-space that each stands for",
          .from = "Pipe & Menon, MRM 41:179 (1999); Zwart, Johnson & Pipe, MRM 67:701 (2012)",
          .help =
              "Iterative: $$w \\leftarrow w / (w * C * C)$$ from w = 1, for any trajectory, with a kernel made for an "
              "object within a circle or a square of the field of view; 10 to 20 repeats. Voronoi: areas of cells, "
              "in 2D. Analytic: shells between neighbours on an arm, for arms that are turned copies of each "
              "other (radial, spiral). The weights are in (cycles/FOV)^d: Cartesian samples weigh 1.",
          .tags = {"SDC", "dcf", "weights", "non-cartesian", "gridding", "Voronoi"}}
          .in<Trajectory>("trajectory", "where samples were taken")
          .maybe<flow::Value>("protocol", protocol_what)
          .out<Array>("out", "weights (sample, arm, ...)")
          .set(flow::Setting::choice("method", "how", "iterative", {"iterative", "voronoi", "analytic"}))
          .set({"iterations", "repeats of the iterative method", 15, 1, 200})
          .set(flow::Setting::choice("kernel", "object of the iterative method: within a circle, or filling the square",
                                     "circular", {"circular", "square"}))
          .set({"taper", "outer part of the largest |k| where weights fall to 0", 0.0, 0.0, 1.0})
          .run(compute));
}

}  // namespace larmor::nodes
