// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <larmor/sim/time_segments.hpp>

namespace larmor::nodes {
namespace {

// One transform a time segment, each times its weights along "sample".
Array by_nufft(flow::Ports& io, const sim::VoxelObject& o, const Trajectory& traj, double tolerance) {
  const auto segments = sim::time_segments(o, traj, tolerance);
  const std::size_t times = segments.weights.size() / segments.times.size();
  Array out;
  recon::Nufft plan;
  io.progress().begin("k-space by transforms", segments.times.size());
  for (std::size_t l = 0; l < segments.times.size(); ++l) {
    const Array image = sim::object_at(o, traj, segments.times[l]);
    if (l == 0) {
      Shape shape = image.shape();
      shape.resize(static_cast<std::size_t>(traj.dimensions()));
      plan = recon::Nufft(traj, shape, {.tolerance = tolerance}, &io.cancel());
    }
    const Array part = plan.forward(image, &io.cancel()).contiguous_copy();
    if (l == 0) out = Array(DType::c64, part.shape(), part.axes());
    const auto from = part.span<const std::complex<float>>();
    const auto to = out.span<std::complex<float>>();
    for (std::size_t i = 0; i < from.size(); ++i)
      to[i] += std::complex<float>(segments.weights[l * times + i % times]) * from[i];
    io.progress().add(1);
  }
  io.progress().end();
  return out;
}

void compute(flow::Ports& io) {
  const auto map = [&](const char* port) { return io.has(port) ? io.in<Array>(port) : Array(); };
  sim::VoxelObject o{
      .density = io.in<Array>("density"), .df = map("df"), .T2_star = map("T2_star"), .coils = map("coils")};
  o.TE = 1e-3 * double(io.setting("TE"));
  const auto traj = io.in<Trajectory>("traj");
  std::string method = io.setting("method");
  // A billion terms take about a second.
  if (method == "auto")
    method = static_cast<double>(o.density.size()) * static_cast<double>(traj.size()) > 5e8 ? "nufft" : "sums";
  io.out("data") = method == "sums" ? sim::voxel_signal(o, traj, &io.cancel(), io.progress())
                                    : by_nufft(io, o, traj, io.setting("tolerance"));
}

}  // namespace

void register_sim_kspace(flow::NodeTypes& nodes) {
  nodes.add(
      "sim.kspace",
      flow::NodeType{
          .title = "k-space of an object",
          .does = "Signal of an image on any trajectory, with off-resonance, T2* and coils",
          .from = "Sutton et al., IEEE Trans. Med. Imaging 22:178 (2003), for time segments",
          .help =
              "$$S(k, t) = \\sum_r c(r)\\, \\rho(r)\\, e^{-t / T_2^*(r) - 2 \\pi i (k x + \\Delta f(r)\\, t)}$$ The "
              "grid covers the field of view and may be finer than the trajectory's matrix: units are "
              "those of the matrix all the same. By the sum over voxels, whose work is voxels times "
              "samples, or by non-uniform transforms, one for each of a few times.",
          .tags = {"simulation", "non-Cartesian", "forward model", "B0", "synthesis", "coils"}}
          .in<Array>("density", "real or complex (x, y[, z])")
          .in<Trajectory>("traj", "where to sample; with times for df and T2*")
          .maybe<Array>("df", "off-resonance [Hz]")
          .maybe<Array>("T2_star", "[s], above 0 where there is density")
          .maybe<Array>("coils", "sensitivities (x, y[, z], coil)")
          .out<Array>("data", "k-space, axes of the trajectory's samples[, coil]")
          .set(flow::Setting{"TE", "time of the trajectory's time 0", 0.0, 0.0, 1e6}.in("ms"))
          .set(flow::Setting::choice("method", "sums below 5e8 terms when auto", "auto", {"auto", "sums", "nufft"}))
          .set({"tolerance", "of transforms and time segments", 1e-5, 1e-6, 0.1})
          .run(compute));
}

}  // namespace larmor::nodes
