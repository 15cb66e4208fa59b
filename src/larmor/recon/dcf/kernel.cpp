// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/recon/dcf/dcf.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

// Terms t^2 to t^5: with a t^1 the kernel would have a kink at its edge, and rings beyond the field of view. More of
// them change the fit by less than 1 % of its height.
constexpr int first = 2, terms = 4;
constexpr double radius = 1;  // cycles/FOV

/// Transform of (1 - (k / R)^2)^m over the line, disc or ball |k| < R, at distance r:
/// pi^(d/2) m! R^d (pi R r)^-(m + d/2) J_(m + d/2)(2 pi R r).
double term_transform(int m, int dims, double r) {
  const double order = m + dims / 2.0, z = 2 * std::numbers::pi * radius * r;
  const double front = std::pow(std::numbers::pi, dims / 2.0) * std::tgamma(m + 1.0) * std::pow(radius, dims);
  if (z < 1e-6) return front / std::tgamma(order + 1);
  return front * std::pow(z / 2, -order) * std::cyl_bessel_j(order, z);
}

/// Root of the overlap of the field of view with itself moved by r of it; on the line the overlap itself, because the
/// root falls so steeply at its end that its kernel has negative lobes.
double target(int dims, double r) {
  // A kernel of that radius cannot end its transform more sharply: begun a tenth before, it is over at 1.
  r /= 0.9;
  if (r >= 1) return 0;
  const double overlap = dims == 1   ? 1 - r
                         : dims == 2 ? 2 / std::numbers::pi * (std::acos(r) - r * std::sqrt(1 - r * r))
                                     : 1 - 1.5 * r + 0.5 * r * r * r;
  return dims == 1 ? overlap : std::sqrt(std::max(overlap, 0.0));
}

}  // namespace

std::vector<double> density_kernel(DensityKernel kernel, int dims) {
  if (kernel == DensityKernel::square) dims = 1;
  // Least squares over rings; far ones count until the terms have decayed. Beyond one field of view every leak is an
  // alias.
  constexpr double step = 1.0 / 64, last = 6, leak = 20;
  double normal[terms][terms] = {}, right[terms] = {};
  for (double r = step / 2; r < last; r += step) {
    const double weight = std::pow(r, dims - 1) * (r > 1 ? leak : 1);
    double f[terms];
    for (int m = 0; m < terms; ++m) f[m] = term_transform(m + first, dims, r);
    for (int m = 0; m < terms; ++m) {
      right[m] += weight * f[m] * target(dims, r);
      for (int n = 0; n < terms; ++n) normal[m][n] += weight * f[m] * f[n];
    }
  }
  // Cholesky; a small ridge, because neighbouring terms are alike.
  double factor[terms][terms] = {};
  for (int i = 0; i < terms; ++i)
    for (int j = 0; j <= i; ++j) {
      double t = normal[i][j] + (i == j ? 1e-9 * normal[i][i] : 0);
      for (int k = 0; k < j; ++k) t -= factor[i][k] * factor[j][k];
      factor[i][j] = i == j ? std::sqrt(t) : t / factor[j][j];
    }
  for (int i = 0; i < terms; ++i) {
    for (int k = 0; k < i; ++k) right[i] -= factor[i][k] * right[k];
    right[i] /= factor[i][i];
  }
  for (int i = terms - 1; i >= 0; --i) {
    for (int k = i + 1; k < terms; ++k) right[i] -= factor[k][i] * right[k];
    right[i] /= factor[i][i];
  }
  std::vector<double> out(first - 1, 0.0);
  out.insert(out.end(), right, right + terms);
  const double integral = density_kernel_transform(out, kernel, dims, 0);
  for (double& c : out) c /= integral;
  return out;
}

double density_kernel_transform(const std::vector<double>& coefficients, DensityKernel kernel, int dims, double r) {
  if (kernel == DensityKernel::square) dims = 1;
  double sum = 0;
  for (std::size_t m = 0; m < coefficients.size(); ++m)
    sum += coefficients[m] * term_transform(static_cast<int>(m) + 1, dims, r);
  return sum;
}

}  // namespace larmor::recon
