// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace larmor::ivim {

/// Mean and variance of the magnitude of a signal A in complex Gaussian noise of unit sd a channel.
///
///   variance = xi(A), mean = sqrt(A^2 + 2 - xi)
///   xi = 2 + A^2 - (pi / 8) exp(-A^2 / 2) [(2 + A^2) I0(A^2 / 4) + A^2 I1(A^2 / 4)]^2
/// Source   Koay and Basser, J. Magn. Reson. 179:317 (2006)
struct MagnitudeMoments {
  double mean, variance;
};
/// From a table, within 1e-6 of the formula; A < 0 counts as 0.
MagnitudeMoments magnitude_moments(double A);
/// Its variance by the formula itself, A >= 0.
double magnitude_variance(double A);

}  // namespace larmor::ivim
