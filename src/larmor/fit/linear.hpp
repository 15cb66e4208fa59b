// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <span>

namespace larmor::fit {

inline constexpr std::size_t max_columns = 8;

/// Linear least squares y = sum of b_k x_k by modified Gram-Schmidt.
///
/// columns  k pointers to n values each, k <= max_columns; y (n); b (k) written
/// Result   false when the columns are linearly dependent to 1e-10 of their length (b is then not written)
bool least_squares(std::span<const double* const> columns, std::span<const double> y, double* b);

/// Standard errors sqrt(variance diag (J^T J)^-1); NaN for parameters that J does not determine.
/// jacobian (n, np) row-major
void standard_errors(std::span<const double> jacobian, std::size_t n, std::size_t np, double variance,
                     std::span<double> errors);

/// Delta method: standard errors sqrt(variance g^T (J^T J)^-1 g) of n_functions functions of the parameters with the
/// gradients g (n_functions, np) row-major; NaN where J does not determine every parameter.
void propagated_errors(std::span<const double> jacobian, std::size_t n, std::size_t np, double variance,
                       std::span<const double> gradients, std::span<double> errors);

}  // namespace larmor::fit
