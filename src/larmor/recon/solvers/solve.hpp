// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/progress.hpp>
#include <larmor/recon/operators/linear_op.hpp>
#include <larmor/recon/solvers/penalty.hpp>
#include <vector>

/// Iterative reconstruction: an image x whose data A x come near to y.
///
/// Errors of all   Errc::shape for data or a start of another space; Errc::range for NaN in the data, with its place,
/// and for options outside their range; Errc::numeric when numbers overflow; Errc::cancelled
namespace larmor::recon {

struct SolveOptions {
  int iterations = 30;      // at most
  double tolerance = 1e-6;  // stops when the residual of the method (see each) has fallen by this factor; 0: never
  Array start = {};         // x before the first iteration; 0 when empty
  int keep_every = 0;       // keeps x of every so many iterations in Solution::kept; 0: none
  std::function<void(int iteration, const Array& x)> watch = {};
  const Cancel* cancel = nullptr;
  Progress progress = {};
};

struct Solution {
  Array x;
  /// After 0, 1, ... iterations: what the method makes small, relative to its value before the first, and the cost
  /// that it minimises.
  std::vector<double> residual, cost;
  std::vector<Array> kept;
  int iterations = 0;
  bool converged = false;  // by the tolerance
};

/// An approximate inverse of A^H A + l2, positive definite.
using Preconditioner = std::function<Array(const Array&)>;

/// Conjugate gradients on the normal equations (A^H A + l2) x = A^H y: the least of |A x - y|^2 / 2 + l2 |x|^2 / 2.
/// Residual   |A^H y - (A^H A + l2) x|
/// Source   Hestenes and Stiefel, J. Res. NBS 49:409 (1952); CG-SENSE: Pruessmann et al., MRM 46:638 (2001)
struct CgOptions : SolveOptions {
  double l2 = 0;
  Preconditioner preconditioner = {};
};
Solution conjugate_gradients(const LinearOp& A, const Array& y, const CgOptions& options = {});

/// The same least by bidiagonalisation of A, without squaring its condition. LSQR makes the residual |A x - y| (with
/// the damping sqrt(l2) x) fall in every step, LSMR that of the normal equations, |A^H (y - A x) - l2 x|.
/// Source   Paige and Saunders, ACM TOMS 8:43 (1982); Fong and Saunders, SIAM J. Sci. Comput. 33:2950 (2011)
struct LsOptions : SolveOptions {
  double l2 = 0;
};
Solution lsqr(const LinearOp& A, const Array& y, const LsOptions& options = {});
Solution lsmr(const LinearOp& A, const Array& y, const LsOptions& options = {});

/// Accelerated proximal gradient for |A x - y|^2 / 2 + l2 |x|^2 / 2 + penalty(x); the cost falls as 1 / iteration^2.
/// The momentum starts again when it leads uphill. Residual   |x - x before| / |x| (not relative to the first) Errors
/// Errc::usage for a penalty without a closed form (total variation): use admm Source   Beck and Teboulle, SIAM J.
/// Imaging Sci. 2:183 (2009); O'Donoghue and Candes, Found. Comput. Math. 15:715 (2015)
struct FistaOptions : SolveOptions {
  double l2 = 0;
  double step = 0;  // 1 / largest eigenvalue of A^H A + l2, found by power iteration when 0
  bool accelerated = true;
};
Solution fista(const LinearOp& A, const Array& y, const Penalty& penalty, const FistaOptions& options = {});

/// Alternating directions for |A x - y|^2 / 2 + l2 |x|^2 / 2 + sum of penalties; x is found by `inner` conjugate
/// gradients from the last x. `rho` is relative to the largest eigenvalue of A^H A. Residual   of the splitting, |T x -
/// z| / |T x| Source   Boyd et al., Found. Trends Mach. Learn. 3:1 (2011)
struct AdmmOptions : SolveOptions {
  double l2 = 0, rho = 0.1;
  int inner = 6;
};
Solution admm(const LinearOp& A, const Array& y, const std::vector<Penalty>& penalties,
              const AdmmOptions& options = {});

}  // namespace larmor::recon
