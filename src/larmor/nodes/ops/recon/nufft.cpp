// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/nufft_ports.hpp>
#include <larmor/recon/nufft/nudft.hpp>

namespace larmor::nodes {
namespace {

std::int64_t batch_behind(const Array& a, std::size_t axes) {
  std::int64_t n = 1;
  for (auto i = axes; i < static_cast<std::size_t>(a.rank()); ++i) n *= a.shape()[i];
  return n;
}

/// The density compensation, with the turn of the phase that moves the image.
Array weights_of(const flow::Ports& io, const Trajectory& traj, const Shape& image) {
  Array weights = io.has("dcf") ? io.in<Array>("dcf") : Array{};
  const auto shift = image_shift(io.setting("shift").numbers(), io.value("protocol"), image.size());
  if (shift.empty()) return weights;
  return shifted_weights(traj, image, weights, shift);
}

void say(const flow::Ports& io, const recon::Nufft& nufft) {
  const auto& f = nufft.facts();
  io.log(fmt::format("window of {} points, grid {} ({:.2f} x), error {:.1e}; {:.1f} MB kept, {:.1f} MB at work",
                     f.width, to_string(f.grid), f.oversampling, f.error, double(f.plan_bytes) / 1e6,
                     double(f.work_bytes) / 1e6));
}

void adjoint(flow::Ports& io) {
  const auto traj = io.in<Trajectory>("trajectory");
  const auto samples = io.in<Array>("in");
  require_same_samples(traj, samples, "samples");
  const Shape image = image_size(io, traj);
  const auto nufft = nufft_plan(io, traj, image, batch_behind(samples, traj.sample_shape().size()));
  const Array there = samples.cast(DType::c64).to(io.device());
  io.out("out") = nufft.adjoint(there, weights_of(io, traj, image), &io.cancel()).to(Device::cpu());
  say(io, nufft);
}

void forward(flow::Ports& io) {
  const auto traj = io.in<Trajectory>("trajectory");
  const auto image = io.in<Array>("in");
  const auto nufft = nufft_plan(io, traj, image_size(io, traj), batch_behind(image, traj.matrix.size()));
  const Array there = image.cast(DType::c64).to(io.device());
  io.out("out") = nufft.forward(there, &io.cancel()).to(Device::cpu());
  say(io, nufft);
}

void exact_adjoint(flow::Ports& io) {
  const auto traj = io.in<Trajectory>("trajectory");
  const Shape image = image_size(io, traj);
  const Array dcf = io.has("dcf") ? io.in<Array>("dcf") : Array{};
  io.out("out") = recon::nudft_adjoint(traj, image, io.in<Array>("in"), dcf, &io.cancel()).cast(DType::c64);
}

void exact_forward(flow::Ports& io) {
  io.out("out") =
      recon::nudft_forward(io.in<Trajectory>("trajectory"), io.in<Array>("in"), &io.cancel()).cast(DType::c64);
}

const std::vector<std::string> tags{"non-cartesian", "gridding", "spiral", "radial", "k-space", "reconstruct"};

flow::NodeType to_image(std::string title, std::string does, std::string from, std::string help) {
  return flow::NodeType{.title = std::move(title),
                        .does = std::move(does),
                        .from = std::move(from),
                        .help = std::move(help),
                        .tags = tags}
      .in<Array>("in", "samples, complex (sample, arm, ..., coil, slice ...)")
      .in<Trajectory>("trajectory", "where they were taken")
      .maybe<Array>("dcf", "density compensation (sample, arm, ...)")
      .out<Array>("out", "images, complex (x, y[, z], coil, slice ...)");
}
flow::NodeType to_samples(std::string title, std::string does, std::string from, std::string help) {
  return flow::NodeType{.title = std::move(title),
                        .does = std::move(does),
                        .from = std::move(from),
                        .help = std::move(help),
                        .tags = tags}
      .in<Array>("in", "images (x, y[, z], coil, slice ...)")
      .in<Trajectory>("trajectory", "where to take samples")
      .out<Array>("out", "samples, complex (sample, arm, ..., coil, slice ...)");
}

}  // namespace

/// recon.nufft_adjoint, recon.nufft_forward, recon.dft_adjoint and recon.dft_forward.
void register_recon_nufft(flow::NodeTypes& nodes) {
  const std::string nufft_from = "Fessler & Sutton, IEEE Trans. Signal Process. 51:560 (2003)";
  const std::string to_x = "$$m_x = \\sum_j w_j s_j e^{+2 \\pi i k_j x}$$ ",
                    to_k = "$$s_j = \\sum_x m_x e^{-2 \\pi i k_j x}$$ ";
  const std::string where = "x in FOV, 0 at index floor(n/2); k in cycles/FOV. ";
  auto a =
      to_image("Non-uniform Fourier transform to images", "Makes images from samples along a trajectory", nufft_from,
               to_x + where +
                   "With the density compensation this is gridding reconstruction. All coils and slices are done "
                   "side by side; the window and the grid follow from the tolerance.");
  add_nufft_settings(a);
  nodes.add("recon.nufft_adjoint",
            std::move(a)
                .maybe<flow::Value>("protocol", protocol_what)
                .set(flow::Setting::numbers("shift",
                                            "voxels that the image is moved by along x, y(, z); may be fractions", {}))
                .run(adjoint));
  auto f = to_samples("Non-uniform Fourier transform to samples", "Takes samples of images along a trajectory",
                      nufft_from, to_k + where + "The exact adjoint of recon.nufft_adjoint.");
  add_nufft_settings(f);
  nodes.add("recon.nufft_forward", std::move(f).run(forward));
  nodes.add("recon.dft_adjoint",
            to_image("Exact sum to images",
                     "Makes images from samples along a trajectory by the sum itself, for small sizes and for truth",
                     "the discrete Fourier transform", to_x + where + "Work grows as samples times voxels.")
                .set(flow::Setting::numbers("size", "voxels along x, y(, z); those of the trajectory when empty", {}))
                .run(exact_adjoint));
  nodes.add("recon.dft_forward",
            to_samples("Exact sum to samples",
                       "Takes samples of images along a trajectory by the sum itself, for small sizes and for truth",
                       "the discrete Fourier transform", to_k + where + "Work grows as samples times voxels.")
                .run(exact_forward));
}

}  // namespace larmor::nodes
