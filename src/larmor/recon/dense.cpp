// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>
#include <larmor/core/error.hpp>
#include <larmor/recon/dense.hpp>

namespace larmor::recon {
namespace {

using Dense = Eigen::MatrixXcd;
Eigen::Map<const Dense> view(const Matrix& a) {
  return {a.data.data(), static_cast<Eigen::Index>(a.rows), static_cast<Eigen::Index>(a.columns)};
}
Matrix matrix(const Dense& a) {
  Matrix out(static_cast<std::size_t>(a.rows()), static_cast<std::size_t>(a.cols()));
  Eigen::Map<Dense>(out.data.data(), a.rows(), a.cols()) = a;
  return out;
}
void require_square(const Matrix& a) {
  if (a.rows != a.columns)
    throw Error(Errc::shape, fmt::format("a matrix of {} x {} is not square", a.rows, a.columns));
}
Error not_positive() {
  return Error(Errc::numeric, "the matrix is not positive definite", "give more samples, or regularise more");
}

}  // namespace

Matrix product(const Matrix& a, const Matrix& b) {
  if (a.columns != b.rows)
    throw Error(Errc::shape, fmt::format("{} x {} times {} x {}", a.rows, a.columns, b.rows, b.columns));
  return matrix(view(a) * view(b));
}
Matrix conjugate_transpose(const Matrix& a) { return matrix(view(a).adjoint()); }
Matrix gram(const Matrix& a) {
  Dense out = Dense::Zero(static_cast<Eigen::Index>(a.columns), static_cast<Eigen::Index>(a.columns));
  out.selfadjointView<Eigen::Lower>().rankUpdate(view(a).adjoint());
  return matrix(out.selfadjointView<Eigen::Lower>());
}

EigenPairs hermitian_eigen(const Matrix& a) {
  require_square(a);
  const Eigen::SelfAdjointEigenSolver<Dense> solver(view(a));
  if (solver.info() != Eigen::Success) throw Error(Errc::numeric, "the eigenvalues of a matrix did not converge");
  EigenPairs out{std::vector<double>(a.rows), Matrix(a.rows, a.rows)};
  const auto n = static_cast<Eigen::Index>(a.rows);
  for (Eigen::Index k = 0; k < n; ++k) {
    out.values[static_cast<std::size_t>(k)] = solver.eigenvalues()[n - 1 - k];
    for (Eigen::Index r = 0; r < n; ++r)
      out.vectors(static_cast<std::size_t>(r), static_cast<std::size_t>(k)) = solver.eigenvectors()(r, n - 1 - k);
  }
  return out;
}

Matrix cholesky(const Matrix& a) {
  require_square(a);
  const Eigen::LLT<Dense> llt(view(a));
  if (llt.info() != Eigen::Success) throw not_positive();
  return matrix(llt.matrixL());
}
Matrix inverse_lower(const Matrix& l) {
  require_square(l);
  const auto n = static_cast<Eigen::Index>(l.rows);
  return matrix(view(l).triangularView<Eigen::Lower>().solve(Dense::Identity(n, n)));
}
Matrix solve_positive(const Matrix& a, const Matrix& b) {
  require_square(a);
  if (a.rows != b.rows) throw Error(Errc::shape, fmt::format("{} equations and {} right sides", a.rows, b.rows));
  const Eigen::LLT<Dense> llt(view(a));
  if (llt.info() != Eigen::Success) throw not_positive();
  return matrix(llt.solve(view(b)));
}
Matrix nearest_unitary(const Matrix& a) {
  const Eigen::JacobiSVD<Dense> svd(view(a), Eigen::ComputeThinU | Eigen::ComputeThinV);
  return matrix(svd.matrixU() * svd.matrixV().adjoint());
}

}  // namespace larmor::recon
