// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/recon/operators/linear_op.hpp>
#include <vector>

namespace larmor::recon {

/// The 2 n coefficients of Daubechies' orthogonal low-pass filter with n vanishing moments and least phase, n = 1 to
/// 10, computed: the roots of the maximally flat half-band polynomial that lie inside the unit circle are kept. Their
/// sum is sqrt 2. Errors   Errc::range
/// Source   Daubechies, Commun. Pure Appl. Math. 41:909 (1988)
std::vector<double> daubechies_filter(int moments);

struct WaveletOptions {
  int moments = 2;
  int levels = 0;  // 0: until an axis would have fewer low-pass coefficients than 16
};

/// Orthogonal periodic wavelet transform of the named axes: A^H A = 1. Low-pass coefficients come first, so the result
/// has the shape of the image. An axis of odd length hands its last element on to the next level unchanged, which keeps
/// the transform orthogonal for every length.
/// Errors   Errc::unknown_name, Errc::range (moments, levels beyond what the shortest axis has)
Op wavelet_op(Space space, const Axes& axes, const WaveletOptions& options = {});

/// Levels that a transform makes along the axes of these lengths when none are asked for.
int wavelet_levels(const Shape& lengths);

}  // namespace larmor::recon
