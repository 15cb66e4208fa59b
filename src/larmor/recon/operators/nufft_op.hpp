// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/recon/nufft/nufft.hpp>
#include <larmor/recon/nufft/off_resonance.hpp>
#include <larmor/recon/nufft/toeplitz.hpp>
#include <larmor/recon/operators/linear_op.hpp>

namespace larmor::recon {

/// A NUFFT of many images as an operator, times 1 / sqrt(number of voxels): for a Cartesian trajectory of as many
/// samples as voxels it is the unitary transform.
///
/// domain   the plan's image axes, then the batch (coil, t, ...); range   the plan's sample axes, then the batch
Op nufft_op(const Nufft& plan, const Shape& batch = {}, const Axes& batch_axes = {});
/// The same, with A^H A by the convolution `normal` that was made for the same trajectory and image without weights:
/// what conjugate gradients apply in every iteration. Errors   Errc::shape, with both, for another image
Op nufft_op(const Nufft& plan, ToeplitzNormal normal, const Shape& batch = {}, const Axes& batch_axes = {});
/// A^H W A itself, from images to images, times 1 / (number of voxels): its own adjoint.
Op toeplitz_op(ToeplitzNormal normal, const Shape& batch = {}, const Axes& batch_axes = {});
/// The transform under a map of frequencies, scaled as above.
Op off_resonance_op(OffResonanceNufft plan, const Shape& batch = {}, const Axes& batch_axes = {});

/// An approximate inverse of A^H A + l2 for the NUFFT weighted by `weights` (f32, sample axes; or empty), seen by coils
/// (`maps`, complex with an axis coil; empty: one that sees everything alike): the nearest circulant, whose spectrum is
/// that of the point spread function times the autocorrelation of the sensitivities. Positive definite.
/// Errors   those of Nufft::adjoint; Errc::range unless l2 >= 0
/// Source   T. Chan, SIAM J. Sci. Stat. Comput. 9:766 (1988); Fessler et al., IEEE Trans. Signal Process. 53:3393
/// (2005)
std::function<Array(const Array&)> circulant_preconditioner(const Nufft& plan, const Array& weights, double l2,
                                                            const Array& maps = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::recon
