// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/seg/predict.hpp>
#include <larmor/seg/preprocess.hpp>

namespace larmor::seg {

/// Labels that are not in the largest connected piece become background; their number is added to `removed`. Returns
/// how many pieces of 10 voxels and more there were.
int keep_largest(Array& labels, std::int64_t& removed);

/// What a network was trained on, against which its results are held.
struct Usual {
  std::array<double, 2> volume_range{0, 1e9};  // of all classes together [mm3]
  double uncertainty = 1;                      // the mean inside that cross-validation stayed below
};
/// Adds flags and the mean uncertainty to `s`. `pieces` and `removed` are those of keep_largest.
void check_quality(const Image& image, const Prepared& ready, int pieces, std::int64_t removed, const Usual& usual,
                   Segmentation& s);

}  // namespace larmor::seg
