// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/recon/dense.hpp>
#include <larmor/recon/parallel/grappa_grid.hpp>

namespace larmor::recon {

/// Weights of neighbours for missing samples, one matrix (source and coil, target coil) a pattern: the least of
/// |A w - t|^2 + l2 |w|^2 over all places of the box where a pattern fits; l2 in units of the mean of A^H A's diagonal.
///
/// The entries of A^H A and A^H t are sums of products of two samples a fixed distance d apart, over a box of places.
/// For each d and two coils the products are added up once along the longest axis, and every entry of every pattern
/// with that d is a few differences of those sums: A is never formed.
///
/// k        (points of the grid, coil), coils last
/// Errors   Errc::range (a pattern without sources, fewer places than weights), Errc::numeric (nothing but 0)
std::vector<Matrix> grappa_weights(const std::complex<double>* k, const SampleGrid& grid, std::int64_t coils,
                                   const Box& box, const std::vector<Pattern>& patterns, double l2,
                                   const Cancel* cancel, const Progress& progress);

}  // namespace larmor::recon
