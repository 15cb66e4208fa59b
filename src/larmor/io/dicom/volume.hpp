// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <larmor/io/dicom/frames.hpp>

namespace larmor::dicom {

struct VolumeOptions {
  bool allow_tilt = false;  // slices that are shifted along each other (gantry tilt): a sheared affine
  std::int64_t at_most = std::int64_t{1} << 32;  // voxels; a series that says more is refused before it is read
};

struct Volume {
  /// (x along a row, y along a column, z) by position, z along the normal of row and column; a fourth axis ("t", "b",
  /// "echo", ...) when every place was measured several times. Rescale slopes applied. Affine in RAS.
  Image image;
  std::vector<Frame> frames;  // what each slice was made from: z fastest, then the fourth axis
  std::vector<std::string> warnings;
  /// How many pictures the headers promise beyond those that are there (ImagesInAcquisition); 0 when none or not told.
  int promised_more = 0;
};

/// Orders the pictures of a series by position and checks that they make one grid. Integers stay integers (i16, u16 as
/// i32) when no rescale applies; else f32.
///
/// Errors   Errc::shape: varying size, spacing or orientation (with both), duplicates, missing slices and gaps (with
/// the places), slices that are shifted along each other (with the angle); Errc::format: no position, a rescale slope
/// of 0, pixels that cannot be decoded, colour; Errc::range: more voxels than at_most
Volume read_volume(const Series& series, const VolumeOptions& options = {}, const Progress& progress = {},
                   const Cancel* cancel = nullptr);

/// The same checks without reading pixels: an image of size (x, y, z[, n]) that has no data.
struct Layout {
  Affine affine;
  std::array<std::int64_t, 4> size{0, 0, 0, 1};
  std::string fourth = "t";
  std::vector<Frame> frames;
  std::vector<std::string> warnings;
  int promised_more = 0;
};
Layout lay_out(const Series& series, const VolumeOptions& options = {});

}  // namespace larmor::dicom
