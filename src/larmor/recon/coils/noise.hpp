// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/recon/dense.hpp>

/// Noise of receive coils: how it is correlated, and data in which it is not.
namespace larmor::recon {

/// Covariance of the coils in data that hold nothing but noise (every other axis is samples): the mean of n_a
/// conj(n_b), so that the diagonal is the variance, twice that of each part. Errors   Errc::type unless complex,
/// Errc::range with fewer samples than coils or NaN
Matrix noise_covariance(const Array& noise, int coil_axis);

/// L^-1 of covariance = L L^H, scaled so that whitened noise has variance 1 (sd 0.7071 in each part).
/// Errors   Errc::numeric when a coil is without noise or two are the same
/// Source   Pruessmann et al., MRM 46:638 (2001)
Matrix whitening(const Matrix& covariance);

/// Virtual coils: y_r = sum over c of m(r, c) x_c. The coil axis then has m.rows elements.
/// Errors   Errc::shape unless m has as many columns as there are coils, Errc::type unless complex
Array mix_coils(const Array& data, int coil_axis, const Matrix& m, const Cancel* cancel = nullptr);

}  // namespace larmor::recon
