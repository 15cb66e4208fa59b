// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/recon/operators/linear_op.hpp>

/// The operators that imaging is made of.
namespace larmor::recon {

Op identity_op(const Space& space);

/// Centred unitary Fourier transform of the named axes (1 to 3), image to k-space. Errors   Errc::unknown_name
Op fourier_op(const Space& space, const Axes& axes);

/// Multiplication by real or complex weights, matched by the names of their axes: a sampling mask (boolean or 0 and
/// 1), the root of a density compensation, a phase. Errors   Errc::shape for an axis that the space does not have or
/// whose extent differs, Errc::range for weights that are not finite
Op weights_op(Space space, const Array& weights);

/// What the coils see of an image.
///
///   y(x, c, b) = sum over m of maps(x, c, m) image(x, m, b)
///
/// maps     complex, axes of space, then "coil" and perhaps "map" (sets of sensitivities), in any order
/// batch    further axes of the image, whose planes are seen alike ("t")
/// domain   space, "map" when the maps have it, batch; range   space, "coil", batch
/// Errors   Errc::type unless complex, Errc::unknown_name without a coil axis, Errc::shape for a batch axis of the maps
Op sensitivities_op(const Array& maps, const std::string& coil_axis = "coil", const Shape& batch = {},
                    const Axes& batch_axes = {});

/// Periodic differences to the next neighbour along the named axes, side by side along a new last axis "direction".
/// Errors   Errc::unknown_name, Errc::usage for none
Op differences_op(const Space& space, const Axes& axes);

}  // namespace larmor::recon
