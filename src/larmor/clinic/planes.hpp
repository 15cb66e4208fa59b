// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/clinic/results.hpp>
#include <larmor/io/figure.hpp>

namespace larmor::clinic {

class Pen;

/// One plane through the segmentation, laid out as it is shown (radiological display), in pixels of the volume.
struct PlaneView {
  io::Plane plane = io::Plane::axial;
  io::Slice grey, labels;
  std::int64_t index = 0;
};
/// Axial, coronal, sagittal through the middle of the segmentation.
std::array<PlaneView, 3> plane_views(const Side& side);
/// Grey window of the picture: 1st to 99th percentile.
io::Range grey_window(const Image& image);

/// The three planes in one row of width `w` and height `h`, with letters, names and a bar of 10 mm.
void draw_planes(Pen& pen, const Side& side, double x, double y, double w, double h);

}  // namespace larmor::clinic
