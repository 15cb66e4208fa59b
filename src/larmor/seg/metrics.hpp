// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <larmor/core/array.hpp>
#include <span>
#include <string>
#include <vector>

/// How well labels agree, and how well volumes do. docs/explanation/segmentation-metrics.md defines every number.
namespace larmor::seg {

/// Agreement of two masks A (found) and B (true) on one grid.
///
/// Surface    for HD95 and ASSD voxels of a mask with one of their 6 face neighbours outside it (beyond the grid is
///            outside), with distances between centres of voxels [mm]; for the NSD polygons between voxels, by their
///            area (surface.hpp)
/// Source     Taha and Hanbury, BMC Med. Imaging 15:29 (2015); Nikolov et al., JMIR 23:e26151 (2021) for the NSD
struct Overlap {
  std::int64_t found = 0, truth = 0, both = 0;  // voxels
  double dice = 0;                              // 2 |A B| / (|A| + |B|); 1 when both are empty
  double jaccard = 0;                           // |A B| / |A or B|; 1 when both are empty
  double nsd = 0;   // share of both areas within `tolerance` of the other; 1 when both are empty, 0 when one is
  double hd95 = 0;  // larger of the 95th percentiles of the distances both ways [mm]; NaN when one or both are empty
  double assd = 0;  // mean of all distances both ways [mm]; NaN as hd95
  double volume_error = 0;  // 100 (|A| - |B|) / |B| [%]; NaN when B is empty and A is not
};
/// Errors   Errc::shape when the shapes differ or are not 3-D; Errc::range unless spacing > 0 and tolerance >= 0
Overlap overlap(const Array& found, const Array& truth, const std::array<double, 3>& spacing, double tolerance = 1);

/// Mean of differences (found - truth) and mean +- 1.96 standard deviations. Source   Bland and Altman, Lancet 327:307
/// (1986)
struct LimitsOfAgreement {
  double bias = 0, deviation = 0, lower = 0, upper = 0;
};
/// Errors   Errc::shape (lengths differ), Errc::range (fewer than 2)
LimitsOfAgreement limits_of_agreement(std::span<const double> found, std::span<const double> truth);

/// Intraclass correlation for absolute agreement of single measurements, two-way: ICC(A,1) =
/// (MSR - MSE) / (MSR + (k - 1) MSE + k (MSC - MSE) / n), k = 2 raters. Source   McGraw and Wong, Psychol. Methods 1:30
/// (1996). Errors   as above; NaN when all values are equal
double icc_a1(std::span<const double> found, std::span<const double> truth);

/// Confidence interval of a statistic over persons: persons are drawn with replacement, each with all its images.
///
/// statistic   of the images drawn (indices, with repeats)
/// level       0.95: between the 2.5th and 97.5th percentile of `draws` resamples
/// Source      Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 and 13
struct Interval {
  double value = 0, lower = 0, upper = 0;
};
Interval bootstrap(const std::vector<std::string>& persons,
                   const std::function<double(std::span<const std::size_t>)>& statistic, std::uint64_t seed,
                   int draws = 2000, double level = 0.95);

/// Linear between ranks; NaN left out. Errors   Errc::range unless 0 <= percent <= 100
double percentile(std::vector<double> values, double percent);
double mean(std::span<const double> values);  // NaN left out; NaN of none

}  // namespace larmor::seg
