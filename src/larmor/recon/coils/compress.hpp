// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/recon/dense.hpp>

/// Fewer virtual coils that hold nearly what all coils do.
namespace larmor::recon {

/// The n combinations of coils with the most energy over all samples: rows of the matrix, orthonormal, strongest first
/// (apply with mix_coils). `energy` is the part of all energy that the first 1, 2, ... all of them hold.
/// Errors   Errc::range unless 1 <= n <= coils, Errc::range for NaN
/// Source   Huang et al., Magn. Reson. Imaging 26:133 (2008)
struct CoilCompression {
  Matrix matrix;
  std::vector<double> energy;
};
CoilCompression svd_compression(const Array& kspace, int coil_axis, int n);

/// The same at every place along an axis that was sampled in full (the readout): the coils that see little of a slab do
/// not count there, so fewer virtual ones do. Neighbouring places are turned to agree, which keeps the virtual coils
/// smooth along the axis. k-space in, k-space out; centred along `axis`.
/// `energy`: of the n kept, over all places.
/// Source   Zhang et al., MRM 69:571 (2013)
struct GeometricCompression {
  Array kspace;
  double energy = 0;
};
GeometricCompression geometric_compression(const Array& kspace, int coil_axis, int axis, int n,
                                           const Cancel* cancel = nullptr);

}  // namespace larmor::recon
