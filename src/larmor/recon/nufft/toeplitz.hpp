// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/recon/nufft/nufft.hpp>

namespace larmor::recon {

/// A^H W A of a trajectory's transform A and weights W as a convolution: two Fourier transforms of twice the image in
/// place of a forward and an adjoint NUFFT, whatever the number of samples. What iterative reconstructions apply again
/// and again.
///
/// The kernel, sum_j w_j exp(2 pi i k_j . d) for all differences d of voxels, is one NUFFT of twice the size when the
/// operator is made.
/// Source   Fessler et al., IEEE Trans. Signal Process. 53:3393 (2005)
class ToeplitzNormal {
 public:
  /// weights  empty (1), or real of the sample axes
  /// Errors   those of Nufft
  ToeplitzNormal(const Trajectory& traj, const Shape& image, const Array& weights = {}, double tolerance = 1e-5,
                 const Cancel* cancel = nullptr);

  /// image    complex (x, y[, z], batch ...). Result: c64, the same shape and axes
  /// Errors   Errc::shape, Errc::cancelled
  Array apply(const Array& image, const Cancel* cancel = nullptr) const;
  const Shape& image_shape() const { return image_; }
  std::size_t memory() const { return spectrum_.bytes(); }

 private:
  Shape image_;
  Array spectrum_;  // f32, twice the image: the kernel is Hermitian
};

}  // namespace larmor::recon
