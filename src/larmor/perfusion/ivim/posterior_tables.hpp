// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

/// Tables that the kernels of the grid posterior read (kernels/posterior_kernel.hpp holds their sizes).
namespace larmor::ivim {

/// Variances of MagnitudeMoments at moments_cells + 1 signals.
const std::vector<double>& magnitude_variances();

/// Rows of cut_places: of a standard Gaussian above t, the share Q(t) (for t > 0 times exp(t^2 / 2)), the mean h(t),
/// and the first two derivatives of the first; then 4 numbers that nobody reads.
const std::vector<double>& cut_table();

}  // namespace larmor::ivim
