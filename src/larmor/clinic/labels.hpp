// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>

namespace larmor::clinic {

/// Labels that somebody drew or corrected, on the grid of `image`: each voxel takes the label at its centre. The two
/// may have other axes, orientations and spacings. Errors   Errc::shape (not 3-D; they do not overlap; part of the
/// labels lies outside the image, with how much), Errc::range (a label that is not 0, 1 or 2)
Image labels_on(const Image& image, const Image& labels);

}  // namespace larmor::clinic
