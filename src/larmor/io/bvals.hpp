// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <vector>

namespace larmor::io {

/// The .bval file beside an image (dwi.nii.gz: dwi.bval or dwi.bvals); empty when there is none.
std::filesystem::path bval_beside(const std::filesystem::path& image);
/// Numbers of a .bval file, separated by blanks, commas or lines [s/mm2].
/// Errors   Errc::file; Errc::format (not a number, with its place), Errc::range (below 0)
std::vector<double> read_bvals(const std::filesystem::path& path);

}  // namespace larmor::io
