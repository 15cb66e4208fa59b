// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

/// Errors   Errc::range when all voxels of the picture have one value ("an empty image"), Errc::numeric for NaN or
/// infinite ones
void check_picture(const Image& image);

/// What of a segmentation a person should look at, from labels and picture alone: pieces, contact with the edge of the
/// picture, a ragged surface, total volume, clipped intensities, contrast to what lies around. Notes with an id that
/// `side` already has (from the segmenter) are not added again.
void add_checks(Side& side);

}  // namespace larmor::clinic
