// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/operators/basic_ops.hpp>
#include <larmor/recon/operators/nufft_op.hpp>
#include <larmor/recon/solvers/pics.hpp>

namespace larmor::recon {
namespace {

double largest_magnitude(const Array& a) {
  const Array most = nd::reduce(nd::Reduction::maximum, nd::apply(nd::Unary::abs, a), {});
  return most.cast(DType::f64).data<double>()[0];
}

void check(const PicsOptions& o) {
  for (const auto& [name, w] : {std::pair{"l2", o.l2}, {"wavelet", o.wavelet}, {"tv", o.tv}, {"low_rank", o.low_rank}})
    if (!(w >= 0) || !std::isfinite(w))
      throw Error(Errc::range, fmt::format("pics: {} = {}", name, w), "give 0 or more");
  const bool sparse = o.wavelet > 0 || o.tv > 0 || o.low_rank > 0;
  if (sparse && o.solver != Solver::fista && o.solver != Solver::admm)
    throw Error(Errc::usage, "pics: cg, lsqr and lsmr know no penalty but l2",
                "use fista (wavelet or low_rank) or admm (any)");
  if (o.solver == Solver::fista && (o.tv > 0 || (o.wavelet > 0 && o.low_rank > 0)))
    throw Error(Errc::usage, "pics: fista takes one penalty with a closed form, wavelet or low_rank", "use admm");
}

}  // namespace

Solution pics(const LinearOp& A, const Array& y, const Axes& space, const PicsOptions& o,
              const Preconditioner& preconditioner) {
  check(o);
  SolveOptions common{.iterations = o.iterations, .tolerance = o.tolerance, .keep_every = o.keep_every};
  common.cancel = o.cancel, common.progress = o.progress;
  const double largest = o.l2 > 0 || o.solver == Solver::fista ? normal_norm(A, 20, o.cancel) : 0;
  const double l2 = o.l2 * largest;
  std::vector<Penalty> penalties;
  const bool sparse = o.wavelet > 0 || o.tv > 0 || o.low_rank > 0;
  const double unit = sparse ? largest_magnitude(A.adjoint(y, o.cancel)) : 0;
  if (o.wavelet > 0) penalties.push_back(l1_wavelet(A.domain(), space, o.wavelet * unit, o.wavelets));
  if (o.tv > 0) penalties.push_back(total_variation(A.domain(), space, o.tv * unit));
  if (o.low_rank > 0) penalties.push_back(locally_low_rank(A.domain(), space, o.across, o.block, o.low_rank * unit));
  switch (o.solver) {
    case Solver::cg:
      return conjugate_gradients(A, y, {common, l2, preconditioner});
    case Solver::lsqr:
      return lsqr(A, y, {common, l2});
    case Solver::lsmr:
      return lsmr(A, y, {common, l2});
    case Solver::fista:
      // As fista finds it: the power iteration ends a little low.
      return fista(A, y, penalties.empty() ? l1(0) : penalties[0], {common, l2, 1 / (1.05 * largest + l2 + 1e-300)});
    case Solver::admm: {
      AdmmOptions admm_options;
      static_cast<SolveOptions&>(admm_options) = common;
      admm_options.l2 = l2;
      return admm(A, y, penalties, admm_options);
    }
  }
  throw Error(Errc::internal, "pics: no such solver");
}

Op cartesian_sense_op(const Array& maps, const Axes& axes, const std::string& coil_axis, const Array& mask,
                      const Shape& batch, const Axes& batch_axes) {
  const Op S = sensitivities_op(maps, coil_axis, batch, batch_axes);
  const Op FS = composed(fourier_op(S->range(), axes), S);
  return mask.empty() ? FS : composed(weights_op(FS->range(), mask), FS);
}

TrajectorySense trajectory_sense_op(const Trajectory& traj, const Array& maps, const std::string& coil_axis,
                                    const Array& weights, double tolerance, const Shape& batch, const Axes& batch_axes,
                                    const Cancel* cancel) {
  const Op S = sensitivities_op(maps.cast(DType::c64), coil_axis, batch, batch_axes);
  const int d = traj.dimensions();
  Shape image;
  for (int a = 0; a < d; ++a) {
    static const char* const names[] = {"x", "y", "z"};
    if (a >= 3 || static_cast<std::size_t>(a) >= S->range().axes.size() ||
        S->range().axes[static_cast<std::size_t>(a)] != names[a])
      throw Error(Errc::shape, fmt::format("a trajectory of {} dimensions, and sensitivities {}", d, maps.describe()),
                  "their first axes are to be x, y (and z)");
    image.push_back(S->range().shape[static_cast<std::size_t>(a)]);
  }
  // Axes beside x, y, z (slices of a plane, coils, times) are transformed side by side.
  Shape beside(S->range().shape.begin() + d, S->range().shape.end());
  Axes beside_axes(S->range().axes.begin() + d, S->range().axes.end());
  std::int64_t count = 1;
  for (const auto n : beside) count *= n;
  const Nufft plan(traj, image, {.tolerance = tolerance, .batch = static_cast<int>(std::min<std::int64_t>(count, 64))},
                   cancel);
  TrajectorySense out;
  out.op = composed(nufft_op(plan, beside, beside_axes), S);
  if (!weights.empty()) {
    const Array w = weights.to(Device::cpu()).cast(DType::f32).contiguous_copy();
    for (const float v : w.span<float>())
      if (!(v >= 0)) throw Error(Errc::range, fmt::format("a density compensation of {}", v), "give 0 or more");
    out.root = nd::apply(nd::Unary::sqrt, w, cancel);
    out.op = composed(weights_op(out.op->range(), out.root), out.op);
  }
  out.preconditioner =
      circulant_preconditioner(plan, weights.empty() ? Array() : weights.cast(DType::f32), 0, maps, cancel);
  return out;
}

}  // namespace larmor::recon
