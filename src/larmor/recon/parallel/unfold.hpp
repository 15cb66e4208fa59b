// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <complex>
#include <vector>

namespace larmor::recon {

/// The equations E m = a of voxels that fold onto one, by least squares with l2 |m|^2, and the noise of the answer.
/// Buffers are kept between voxels.
class Unfolding {
 public:
  using C = std::complex<double>;
  explicit Unfolding(std::size_t most) : M_(most * most), L_(most * most), right_(most), column_(most) {}

  /// E (coil, voxel) of n voxels, a (coil). m and g (n at least) are written; false, and nothing is written, when the
  /// equations are singular.
  bool solve(const std::vector<C>& E, const std::vector<C>& a, std::size_t n, double l2, std::vector<C>& m,
             std::vector<double>& g);

 private:
  bool factorise(std::size_t n, double l2);
  void backsolve(std::vector<C>& b, std::size_t n) const;
  std::vector<C> M_, L_, right_, column_;
};

}  // namespace larmor::recon
