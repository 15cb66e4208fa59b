// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/recon_ports.hpp>

namespace larmor::nodes {
namespace {

Curve by_iteration(const std::vector<double>& values, const char* label) {
  Curve out{.x = {}, .y = {values}, .x_label = "iteration", .x_unit = "1", .label = label, .unit = "1"};
  for (std::size_t i = 0; i < values.size(); ++i) out.x.push_back(static_cast<double>(i));
  return out;
}

}  // namespace

flow::NodeType&& with_pics_settings(flow::NodeType&& type) {
  using flow::Setting;
  auto&& t =
      std::move(type)
          .out<Curve>("residual", "what the solver makes small, after each iteration, relative to the first")
          .out<Curve>("cost", "half the squared distance from the data, and the penalties")
          .out<Array>("iterates", "images after some of the iterations, along a last axis iteration")
          .set(Setting::choice("solver", "conjugate gradients, LSQR, LSMR: least squares; FISTA, ADMM: penalties, too",
                               "cg", {"cg", "lsqr", "lsmr", "fista", "admm"}))
          .set({"iterations", "at most", 30, 0, 100000})
          .set({"tolerance", "the residual at which to stop; 0: never", 1e-4, 0.0, 1.0})
          .set({"l2", "weight of the squared image, over the largest eigenvalue of the operator", 0.0, 0.0, 1e6})
          .set({"wavelet", "weight of wavelet coefficients, over the largest voxel of the adjoint's image", 0.0, 0.0,
                1e6})
          .set({"tv", "weight of the total variation, over the same", 0.0, 0.0, 1e6})
          .set({"low_rank", "weight of singular values of blocks, over the same", 0.0, 0.0, 1e6})
          .set({"across", "axis along which blocks have low rank", "t"})
          .set({"block", "width of the blocks", 8, 1, 1024})
          .set({"moments", "vanishing moments of the wavelets", 2, 1, 10})
          .set({"keep_every", "keep the image of every so many iterations; 0: of none", 0, 0, 100000});
  return std::move(t);
}

recon::PicsOptions pics_options(const flow::Ports& io) {
  const std::string solver = io.setting("solver");
  recon::PicsOptions o;
  o.solver = solver == "lsqr"    ? recon::Solver::lsqr
             : solver == "lsmr"  ? recon::Solver::lsmr
             : solver == "fista" ? recon::Solver::fista
             : solver == "admm"  ? recon::Solver::admm
                                 : recon::Solver::cg;
  o.iterations = int(io.setting("iterations")), o.tolerance = io.setting("tolerance");
  o.l2 = io.setting("l2"), o.wavelet = io.setting("wavelet"), o.tv = io.setting("tv"),
  o.low_rank = io.setting("low_rank");
  o.across = io.setting("across").str(), o.block = std::int64_t(io.setting("block"));
  o.wavelets.moments = int(io.setting("moments"));
  o.keep_every = int(io.setting("keep_every"));
  o.cancel = &io.cancel(), o.progress = io.progress();
  return o;
}

void put_solution(flow::Ports& io, const recon::Solution& s) {
  io.out("residual") = by_iteration(s.residual, "residual");
  io.out("cost") = by_iteration(s.cost, "cost");
  if (s.kept.empty())
    io.out("iterates") = Array(DType::c64, {0}, {"iteration"});
  else
    io.out("iterates") = nd::stack(s.kept, "iteration", &io.cancel());
}

Batch batch_of(const Array& data, const Axes& known) {
  Batch out;
  for (int i = 0; i < data.rank(); ++i) {
    const auto& name = data.axes()[static_cast<std::size_t>(i)];
    if (data.extent(i) > 1 && std::find(known.begin(), known.end(), name) == known.end())
      out.shape.push_back(data.extent(i)), out.axes.push_back(name);
  }
  return out;
}

}  // namespace larmor::nodes
