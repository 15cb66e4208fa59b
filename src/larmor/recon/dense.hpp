// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <complex>
#include <cstddef>
#include <vector>

/// Small dense matrices over complex double, column-major: what Eigen does, behind one file that includes it.
namespace larmor::recon {

struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<std::complex<double>> data;  // (row, column), rows fastest

  Matrix() = default;
  Matrix(std::size_t rows_, std::size_t columns_) : rows(rows_), columns(columns_), data(rows_ * columns_) {}
  std::complex<double>& operator()(std::size_t r, std::size_t c) { return data[r + rows * c]; }
  const std::complex<double>& operator()(std::size_t r, std::size_t c) const { return data[r + rows * c]; }
};

Matrix product(const Matrix& a, const Matrix& b);
Matrix conjugate_transpose(const Matrix& a);
/// A^H A, of a matrix with any number of rows.
Matrix gram(const Matrix& a);

/// Eigenvalues of a Hermitian matrix, largest first, with their vectors as columns. Errors   Errc::shape unless square,
/// Errc::numeric when it does not converge
struct EigenPairs {
  std::vector<double> values;
  Matrix vectors;
};
EigenPairs hermitian_eigen(const Matrix& a);

/// L of A = L L^H. Errors   Errc::shape, Errc::numeric unless A is positive definite
Matrix cholesky(const Matrix& a);
/// Inverse of a lower triangular matrix.
Matrix inverse_lower(const Matrix& l);
/// X of A X = B for a positive definite A. Errors   Errc::shape, Errc::numeric
Matrix solve_positive(const Matrix& a, const Matrix& b);
/// The unitary matrix nearest to A: U V^H of its singular value decomposition (all of A's columns when it is tall).
Matrix nearest_unitary(const Matrix& a);

}  // namespace larmor::recon
