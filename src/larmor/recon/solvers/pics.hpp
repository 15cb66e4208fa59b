// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/trajectory.hpp>
#include <larmor/recon/solvers/solve.hpp>

/// Images of several coils' samples by iteration: parallel imaging and compressed sensing.
namespace larmor::recon {

enum class Solver : std::uint8_t { cg, lsqr, lsmr, fista, admm };

struct PicsOptions {
  /// What minimises |A x - y|^2 / 2 + penalties; cg, lsqr and lsmr take l2 only, fista everything but tv.
  Solver solver = Solver::cg;
  int iterations = 30;
  double tolerance = 1e-4;
  double l2 = 0;       // relative to the largest eigenvalue of A^H A
  double wavelet = 0;  // these relative to the largest magnitude of A^H y
  double tv = 0;
  double low_rank = 0;  // along `across`
  std::string across = "t";
  std::int64_t block = 8;  // voxels along each axis of space, of locally low rank matrices
  WaveletOptions wavelets = {};
  int keep_every = 0;
  const Cancel* cancel = nullptr;
  Progress progress = {};
};
/// x of the operator A and the data y. `space`: axes of x that penalties act along.
/// `preconditioner` is used by cg.
/// Errors   those of the solvers; Errc::usage for a penalty that the solver does not take, with those that do
Solution pics(const LinearOp& A, const Array& y, const Axes& space, const PicsOptions& options = {},
              const Preconditioner& preconditioner = {});

/// Cartesian: mask x Fourier transform x sensitivities. `data` is the space of k-space, (space, coil, others as the
/// maps' order says): other axes than those of the maps are seen alike and stand last.
/// mask     0 or 1 (or any weight), over some of the axes of k-space; empty: everything was measured
/// Errors   Errc::shape, Errc::unknown_name
Op cartesian_sense_op(const Array& maps, const Axes& axes, const std::string& coil_axis, const Array& mask,
                      const Shape& batch = {}, const Axes& batch_axes = {});

/// Samples along a trajectory: NUFFT x sensitivities, times the root of `weights` (density compensation; or empty),
/// with which the data must be multiplied, too. The root of weights makes conjugate gradients converge in fewer
/// iterations, and the answer a weighted one.
struct TrajectorySense {
  Op op;                          // weights and all
  Array root;                     // of the weights, f32 (sample axes); empty without
  Preconditioner preconditioner;  // circulant, of the operator without regularisation
};
/// maps     (x, y[, z], coil[, map]); their grid is the image's
/// Errors   those of Nufft; Errc::shape for maps that lack an axis; Errc::range for negative weights
TrajectorySense trajectory_sense_op(const Trajectory& traj, const Array& maps, const std::string& coil_axis,
                                    const Array& weights = {}, double tolerance = 1e-4, const Shape& batch = {},
                                    const Axes& batch_axes = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::recon
