// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/data/aif.hpp>
#include <span>
#include <vector>

namespace larmor::dce {

struct AifDetection {
  Aif blood;                         // mean curve of the chosen voxels, whole blood [mM]
  std::vector<std::int64_t> voxels;  // linear indices of the chosen ones
  std::vector<float> score;          // one a voxel, 0 where not a candidate; higher is more arterial
  int n_candidates = 0, n_clusters = 0;
};
/// Automatic: score = peak height x earliness x sharpness (each scaled to the candidates' range), k-means of the best
/// candidates' curves, the cluster of highest mean score wins.
/// Errors   Errc::numeric when nothing looks like an artery ("do: give a mask or a file")
AifDetection detect_aif(const Array& concentration, std::span<const double> times,
                        std::span<const std::uint8_t> mask = {});
/// Mean curve of a region. Errors   Errc::shape, Errc::range (empty)
Aif aif_from_mask(const Array& concentration, std::span<const double> times, std::span<const std::uint8_t> region);

}  // namespace larmor::dce
