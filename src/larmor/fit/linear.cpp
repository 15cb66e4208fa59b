// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/fit/linear.hpp>
#include <limits>
#include <vector>

namespace larmor::fit {

bool least_squares(std::span<const double* const> columns, std::span<const double> y, double* b) {
  const std::size_t k = columns.size(), n = y.size();
  if (k > max_columns) throw Error(Errc::internal, "more columns than least_squares takes");
  std::vector<double> q(k * n), rest(y.begin(), y.end());
  std::array<std::array<double, max_columns>, max_columns> r{};
  std::array<double, max_columns> c{};
  for (std::size_t j = 0; j < k; ++j) {
    double* qj = q.data() + j * n;
    double length = 0;
    for (std::size_t i = 0; i < n; ++i) qj[i] = columns[j][i], length += qj[i] * qj[i];
    length = std::sqrt(length);
    for (std::size_t m = 0; m < j; ++m) {
      const double* qm = q.data() + m * n;
      double dot = 0;
      for (std::size_t i = 0; i < n; ++i) dot += qm[i] * qj[i];
      for (std::size_t i = 0; i < n; ++i) qj[i] -= dot * qm[i];
      r[m][j] = dot;
    }
    double left = 0;
    for (std::size_t i = 0; i < n; ++i) left += qj[i] * qj[i];
    left = std::sqrt(left);
    if (!(left > 1e-10 * length)) return false;
    r[j][j] = left;
    double dot = 0;
    for (std::size_t i = 0; i < n; ++i) qj[i] /= left, dot += qj[i] * rest[i];
    for (std::size_t i = 0; i < n; ++i) rest[i] -= dot * qj[i];
    c[j] = dot;
  }
  for (std::size_t j = k; j-- > 0;) {
    double s = c[j];
    for (std::size_t m = j + 1; m < k; ++m) s -= r[j][m] * b[m];
    b[j] = s / r[j][j];
  }
  return true;
}

void standard_errors(std::span<const double> jacobian, std::size_t n, std::size_t np, double variance,
                     std::span<double> errors) {
  std::vector<double> unit(np * np, 0.0);
  for (std::size_t j = 0; j < np; ++j) unit[j * np + j] = 1.0;
  propagated_errors(jacobian, n, np, variance, unit, errors);
}

void propagated_errors(std::span<const double> jacobian, std::size_t n, std::size_t np, double variance,
                       std::span<const double> gradients, std::span<double> errors) {
  // Cholesky of the scaled normal matrix; np is at most a handful.
  std::vector<double> a(np * np, 0.0), scale(np);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < np; ++j)
      for (std::size_t m = 0; m <= j; ++m) a[j * np + m] += jacobian[i * np + j] * jacobian[i * np + m];
  for (std::size_t j = 0; j < np; ++j) scale[j] = a[j * np + j] > 0 ? 1 / std::sqrt(a[j * np + j]) : 0.0;
  for (std::size_t j = 0; j < np; ++j)
    for (std::size_t m = 0; m <= j; ++m) a[j * np + m] *= scale[j] * scale[m];
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t j = 0; j < np; ++j) {
    for (std::size_t m = 0; m <= j; ++m) {
      double s = a[j * np + m];
      for (std::size_t l = 0; l < m; ++l) s -= a[j * np + l] * a[m * np + l];
      if (m < j) {
        a[j * np + m] = s / a[m * np + m];
      } else {
        if (!(s > 1e-14)) {
          for (double& e : errors) e = nan;
          return;
        }
        a[j * np + j] = std::sqrt(s);
      }
    }
  }
  // With A = L L^T, g^T A^-1 g is the squared length of L^-1 g.
  for (std::size_t k = 0; k < errors.size(); ++k) {
    std::vector<double> x(np);
    double sum = 0;
    for (std::size_t i = 0; i < np; ++i) {
      double s = gradients[k * np + i] * scale[i];
      for (std::size_t l = 0; l < i; ++l) s -= a[i * np + l] * x[l];
      x[i] = s / a[i * np + i];
      sum += x[i] * x[i];
    }
    errors[k] = std::sqrt(variance * sum);
  }
}

}  // namespace larmor::fit
