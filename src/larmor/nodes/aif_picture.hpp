// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <larmor/io/png.hpp>
#include <larmor/perfusion/dce/aif_detect.hpp>
#include <vector>

namespace larmor::nodes {

/// The axial slice with the most of the voxels, those in red over the highest value of each voxel.
io::Picture aif_picture(const Image& series, const std::vector<std::int64_t>& voxels);
/// Score of the chosen voxels, NaN elsewhere; "Candidates" and "Clusters" are in the metadata.
Image detected_voxels(const dce::AifDetection& detection, const Image& series);

}  // namespace larmor::nodes
