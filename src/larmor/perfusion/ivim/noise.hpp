// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>

namespace larmor::ivim {

/// Noise sd from the residuals of a fit: the median over voxels of the residual sum of squares over the median of a
/// chi-square of the degrees of freedom left, so that voxels that the model does not describe do not count.
/// Errors   Errc::numeric when no voxel was fitted; Errc::range when the fit left no degree of freedom
double noise_from_residuals(const fit::CurveFit& fit, std::size_t n_samples);

}  // namespace larmor::ivim
