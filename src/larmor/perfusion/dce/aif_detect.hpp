// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/data/aif.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::dce {

struct AifDetection {
  Aif blood;                         // mean curve of the chosen voxels, whole blood [mM]
  std::vector<std::int64_t> voxels;  // linear indices of the chosen ones
  std::vector<float> score;          // one a voxel, 0 where not a candidate; higher is more arterial
  int n_candidates = 0, n_clusters = 0;
};
/// What tells the best group of voxels from tissue.
struct AifCriteria {
  double least_ratio = 3;     // times as high as three quarters of the voxels that rise
  double blood_height = 2.5;  // or this high [mM], which no tissue reaches
  double most_left = 0.6;     // share of the peak that is left from a minute after the rise on
  std::string unit = "mM";    // of the curves, for messages
};
/// Automatic. Candidates are voxels whose peak is over 8 noise sd and over a fifth of the highest (of the highest but a
/// thousandth of the voxels, which may be spikes). Their score is
///   height (peak) x earliness (of reaching half the peak) x sharpness (peak / area under the curve),
/// each scaled to 0..1 over the candidates. The best 300 at most are grouped by k-means of their curves (with their
/// heights, so that partial volume sets voxels apart); of the groups of 3 voxels and more the one of the highest mean
/// score wins: a lone spike does not. It is refused as tissue when its peak is below the criteria's height
/// (2.5 mM) and below their ratio (three times) over what three quarters of the voxels above 8 noise sd do not reach,
/// or when more than their share (60 %) of it is left from a minute after its rise on.
///
/// concentration  real (voxels..., t) [mM]; voxels with values that are not finite are left out
/// Errors   Errc::shape, Errc::range, Errc::numeric when nothing looks like an artery ("do: give a mask or a file")
AifDetection detect_aif(const Array& concentration, std::span<const double> times,
                        std::span<const std::uint8_t> mask = {}, const AifCriteria& criteria = {});
/// Mean curve of a region, of its finite voxels. Errors   Errc::shape, Errc::range (empty), Errc::numeric (none finite)
Aif aif_from_mask(const Array& concentration, std::span<const double> times, std::span<const std::uint8_t> region);

}  // namespace larmor::dce
