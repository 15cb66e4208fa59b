// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

namespace larmor::recon {

/// The window that carries samples to a grid and back: as narrow as the accuracy allows, and for its width the best.
///
/// A sample at t on a grid of N points a period is carried to the `width` points from s = ceil(t - width / 2) on: the
/// l-th of them with the weight c_l(u), u = s - (t - width / 2) in [0, 1). Every voxel x (in voxels from the middle) is
/// multiplied by p(x) on the image's side. What that leaves of the exact exponential is
///
///   e(u, x) = p(x) sum_l c_l(u) exp(-2 pi i z_l x / N) - 1,  z_l = u + l - width / 2
///
/// c and p minimise the mean square of e over all u and all |x| <= n / 2: for a given p each c(u) solves normal
/// equations whose matrix is the same for every u, for given c the best p is a quotient, and the two take turns. Both
/// are real, because the window is even. The root mean square is 0.6 to 0.75 of a Kaiser-Bessel window's.
/// Source   the min-max interpolation of Fessler and Sutton, IEEE Trans. Signal Process. 51:560 (2003), here in the
/// mean square and with the scaling optimised too
struct SpreadKernel {
  int width = 0;
  int degree = 0;
  double oversampling = 0;           // N / n that it was made for
  double error = 0;                  // root of the mean of |e|^2, one dimension
  std::vector<double> coefficients;  // c_l as polynomials in 2 u - 1: [degree + 1][width], highest power first

  /// c_l(u).
  double weight(int l, double u) const;
  /// p(x) at x = -floor(n / 2) ... of n voxels on a grid of N points.
  std::vector<double> scaling(std::int64_t n, std::int64_t N) const;
};

constexpr int max_kernel_width = 12;

/// The best window of that width and oversampling. Takes about a millisecond, once: it is kept for the next caller.
/// Errors   Errc::range unless 2 <= width <= 12 and 1.05 <= oversampling <= 8
const SpreadKernel& spread_kernel(int width, double oversampling);

/// Kaiser-Bessel window of that width with the usual shape parameter, in the same form and with the best scaling for
/// it: what the above is compared with.
/// Source   Beatty, Nishimura and Pauly, IEEE Trans. Med. Imaging 24:799 (2005)
SpreadKernel kaiser_bessel_kernel(int width, double oversampling);
/// Its shape parameter, pi sqrt((width / a)^2 (a - 1/2)^2 - 0.8), a the oversampling.
double kaiser_bessel_beta(double width, double oversampling);

}  // namespace larmor::recon
