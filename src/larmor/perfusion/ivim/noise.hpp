// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_fit.hpp>
#include <span>

namespace larmor::ivim {

/// Noise sd from the residuals of a fit: the median over voxels of the residual sum of squares over the median of a
/// chi-square of the degrees of freedom left, so that voxels that the model does not describe do not count.
/// `counts` are the weights of the fit, volumes averaged into each sample; the sd is that of one volume.
/// Errors   Errc::numeric when no voxel was fitted; Errc::range when the fit left no degree of freedom
double noise_from_residuals(const fit::CurveFit& fit, std::size_t n_samples, std::span<const double> counts = {});

/// Fits take weights relative to their mean: a sample of the mean count has the noise of one volume over the root of
/// this.
double mean_count(std::span<const double> counts);

/// The same of magnitudes, in whose noise there is a floor that no exponential follows: at a noise of a tenth of S0 its
/// misfit alone adds 7 to 14 % to the residuals. Up to 4,096 voxels of a bi-exponential fit `start` are fitted again,
/// their magnitudes less what noise adds to the mean, and their residuals weighed by the variance that magnitudes have.
///
/// data (voxels..., b) f32 on the CPU, contiguous
/// Errors   those of noise_from_residuals(), of fit_curves()
double noise_of_magnitudes(const Array& data, std::span<const double> b, const fit::CurveFit& start,
                           const fit::CurveFitOptions& options, const Cancel* cancel = nullptr);

}  // namespace larmor::ivim
