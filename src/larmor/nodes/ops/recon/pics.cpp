// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/recon_ports.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/parallel/sampling.hpp>

namespace larmor::nodes {
namespace {

Axes along(const Array& a, const std::string& text) {
  Axes out;
  for (const int i : axes_in(a, text)) out.push_back(a.axes()[static_cast<std::size_t>(i)]);
  return out;
}

void require_finite(const Array& a, const std::string& name) { recon::require_finite(a.cast(DType::c64), name); }

void say(flow::Ports& io, const recon::Solution& s) {
  io.log(fmt::format("{} iterations, residual {:.2e}, {}", s.iterations, s.residual.back(),
                     s.converged ? "converged" : "stopped by their number"));
}

void cartesian(flow::Ports& io) {
  const auto in = io.in<Gridded>("in"), maps = io.in<Gridded>("maps");
  const std::string coil = io.setting("axis");
  need_axis(in.data, coil), need_axis(maps.data, coil);
  require_finite(in.data, "k-space"), require_finite(maps.data, "the sensitivities");
  const Axes axes = along(maps.data, io.setting("axes"));
  // Samples of k-space that are 0 in every coil were not measured; along axes that are not transformed, too.
  Axes mask_axes;
  for (int i = 0; i < in.data.rank(); ++i)
    if (const auto& name = in.data.axes()[static_cast<std::size_t>(i)]; name != coil && in.data.extent(i) > 1)
      mask_axes.push_back(name);
  const Array mask = io.has("mask") ? io.in<Array>("mask") : recon::sampled_mask(in.data, mask_axes);
  const Batch batch = batch_of(in.data, maps.data.axes());
  const auto A = recon::cartesian_sense_op(maps.data.cast(DType::c64), axes, coil, mask, batch.shape, batch.axes);
  const Array y = nd::apply(nd::Binary::multiply, recon::arranged(in.data, A->range(), "k-space"), mask, &io.cancel());
  const auto s = recon::pics(*A, recon::arranged(y, A->range(), "k-space"), axes, pics_options(io));
  io.out("out") = place_of(in, maps).with(s.x);
  const auto all = recon::cartesian_sense_op(maps.data.cast(DType::c64), axes, coil, {}, batch.shape, batch.axes);
  const Array measured = nd::apply(nd::Binary::not_equal, mask, Array(DType::f32, {}));
  io.out("kspace") = in.with(
      recon::arranged(nd::where(measured, recon::arranged(y, A->range(), "k-space"), all->forward(s.x), &io.cancel()),
                      {in.data.shape(), in.data.axes()}, "k-space"));
  put_solution(io, s);
  say(io, s);
}

void trajectory(flow::Ports& io) {
  const auto in = io.in<Array>("samples");
  const auto maps = io.in<Gridded>("maps");
  const auto traj = io.in<Trajectory>("traj");
  const std::string coil = io.setting("axis");
  require_same_samples(traj, in, "samples");
  need_axis(in, coil), need_axis(maps.data, coil);
  require_finite(in, "the samples"), require_finite(maps.data, "the sensitivities");
  const Array weights = io.has("weights") ? io.in<Array>("weights") : Array();
  Axes known = traj.sample_axes();
  for (const auto& name : maps.data.axes()) known.push_back(name);
  const Batch batch = batch_of(in, known);
  const auto E = recon::trajectory_sense_op(traj, maps.data, coil, weights, io.setting("accuracy"), batch.shape,
                                            batch.axes, &io.cancel());
  Array y = recon::arranged(in, E.op->range(), "samples");
  if (!weights.empty()) y = nd::apply(nd::Binary::multiply, y, E.root, &io.cancel());
  Axes space;
  for (int i = 0; i < traj.dimensions(); ++i) space.push_back(maps.data.axes()[static_cast<std::size_t>(i)]);
  const auto options = pics_options(io);
  const bool circulant = io.setting("preconditioner").str() == "circulant";
  if (circulant && options.solver != recon::Solver::cg)
    throw Error(Errc::usage, "only conjugate gradients take a preconditioner",
                "set the solver to cg, or preconditioner to none");
  const auto s = recon::pics(*E.op, y, space, options, circulant ? E.preconditioner : recon::Preconditioner{});
  io.out("out") = maps.with(s.x);
  put_solution(io, s);
  say(io, s);
}

}  // namespace

/// recon.pics and recon.cg_sense.
void register_recon_pics(flow::NodeTypes& nodes) {
  const std::vector<std::string> tags{"iterative", "compressed sensing", "parallel imaging", "SENSE",
                                      "wavelet",   "total variation",    "low rank"};
  const std::string problem =
      "$$\\min_x \\tfrac12 |A x - y|^2 + \\tfrac{\\lambda_2}2 |x|^2 + \\lambda_w |W x|_1 + "
      "\\lambda_t \\mathrm{TV}(x) + \\lambda_r \\sum_b |x_b|_*$$ ";
  nodes.add(
      "recon.pics",
      with_pics_settings(
          flow::NodeType{
              .title = "Iterative reconstruction",
              .does = "Makes an image from Cartesian k-space of coils, sampled in any way, by iteration",
              .from = "Pruessmann et al., MRM 46:638 (2001); Lustig et al., MRM 58:1182 (2007); Beck and "
                      "Teboulle, SIAM J. Imaging Sci. 2:183 (2009); Boyd et al., Found. Trends Mach. Learn. 3:1 (2011)",
              .help = problem + "A is sensitivities, Fourier transform and sampling.",
              .tags = tags}
              .in<Gridded>("in", "k-space of coils, full size with 0 where nothing was measured")
              .in<Gridded>("maps", "sensitivities; several sets along an axis map")
              .maybe<Array>("mask", "1 where k-space was measured; where it is not 0 when not given")
              .out<Gridded>("out", "complex image")
              .out<Gridded>("kspace",
                            "k-space of coils, complete: what was measured, and what the image has for the rest")
              .set({"axes", "axes to transform", "x, y"})
              .set({"axis", "axis of the coils", "coil"}))
          .validate([](flow::Form& form) { offer_axes(form, "in", "axis"), offer_axes(form, "maps", "axes"); })
          .run(cartesian));
  nodes.add(
      "recon.cg_sense",
      with_pics_settings(
          flow::NodeType{.title = "Iterative reconstruction along a trajectory",
                         .does = "Makes an image from samples of coils along any trajectory by iteration",
                         .from = "Pruessmann et al., MRM 46:638 (2001)",
                         .help = problem +
                                 "A is sensitivities and the non-uniform Fourier transform, over the root of the "
                                 "number of voxels. Weights (density compensation) make it converge in fewer "
                                 "iterations; the circulant preconditioner does, too, and leaves the answer as it is.",
                         .tags = tags}
              .in<Array>("samples", "samples of coils (sample, arm, ..., coil), complex")
              .in<Trajectory>("traj", "where they were taken [cycles/FOV]")
              .in<Gridded>("maps", "sensitivities (x, y[, z], coil) on the grid of the image")
              .maybe<Array>("weights", "density compensation, one a sample")
              .out<Gridded>("out", "complex image")
              .set({"axis", "axis of the coils", "coil"})
              .set({"accuracy", "of the non-uniform Fourier transform", 1e-4, 1e-6, 1e-2})
              .set(flow::Setting::choice("preconditioner", "none, or circulant (for cg)", "none",
                                         {"none", "circulant"})))
          .validate([](flow::Form& form) { offer_axes(form, "samples", "axis"); })
          .run(trajectory));
}

}  // namespace larmor::nodes
