// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/shape_mask.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto like = io.in<Gridded>("like");
  const std::size_t n = static_cast<std::size_t>(std::min(3, like.data.rank()));
  const Shape shape(like.data.shape().begin(), like.data.shape().begin() + static_cast<std::ptrdiff_t>(n));
  const Axes axes(like.data.axes().begin(), like.data.axes().begin() + static_cast<std::ptrdiff_t>(n));
  nd::ShapeMask s{io.setting("centre").numbers(), io.setting("size").numbers()};
  const bool mm = io.setting("unit").str() == "mm";
  if (mm && !like.geometry)
    throw Error(Errc::usage, "a shape in mm on " + like.data.describe() + ", which has no place in space",
                "give it in voxels, or wire an image");
  if (s.centre.empty())
    for (std::size_t a = 0; a < s.size.size() && a < n; ++a) s.centre.push_back(static_cast<double>(shape[a] - 1) / 2);
  else if (mm) {
    if (s.centre.size() != 3)
      throw Error(Errc::shape, fmt::format("{} numbers for a place in space", s.centre.size()), "give x, y and z [mm]");
    const auto at = like.geometry->affine.inverse().apply(s.centre[0], s.centre[1], s.centre[2]);
    s.centre.assign(at.begin(), at.end());
  }
  if (mm)
    for (std::size_t a = 0; a < s.size.size() && a < 3; ++a) s.size[a] /= like.geometry->affine.spacing()[a];
  const std::string kind = io.setting("shape");
  Array mask = kind == "polygon" ? nd::polygon_mask(shape, axes, io.setting("corners").numbers())
               : kind == "box"   ? nd::box_mask(shape, axes, s)
                                 : nd::ellipsoid_mask(shape, axes, s);
  if (io.setting("invert")) mask = nd::apply(nd::Unary::logical_not, mask, &io.cancel());
  io.out("mask") = like.with(std::move(mask));
}

}  // namespace

void register_mask_shape(flow::NodeTypes& nodes) {
  nodes.add("mask.shape",
            flow::NodeType{.title = "Region of a shape",
                           .does = "Makes a mask of a box, an ellipsoid or a polygon on the grid of an array",
                           .help = "Places and widths count voxels from 0 (or mm in the world of an image; its widths "
                                   "then lie along the voxel axes). Axes without a size are covered whole, so two "
                                   "numbers make a cylinder.",
                           .tags = {"ROI", "rectangle", "ellipse", "circle", "sphere", "polygon", "region"}}
                .in<Gridded>("like", "array whose grid the mask gets")
                .out<Gridded>("mask", "boolean, the first three axes")
                .set(flow::Setting::choice("shape", "kind of region", "ellipsoid", {"box", "ellipsoid", "polygon"}))
                .set(flow::Setting::numbers("centre", "centre, a number an axis; the middle when empty", {}))
                .set(flow::Setting::numbers("size", "full width, a number an axis", {10, 10}))
                .set(flow::Setting::numbers("corners", "of a polygon: x0, y0, x1, y1, ...", {}))
                .set(flow::Setting::choice("unit", "unit of centre and size", "voxels", {"voxels", "mm"}))
                .set({"invert", "the mask is what lies outside", false})
                .validate([](flow::Form& form) {
                  const bool polygon = form.setting("shape").str() == "polygon";
                  for (const char* name : {"centre", "size", "unit"})
                    if (polygon) form.hide(name);
                  if (!polygon) form.hide("corners");
                })
                .run(compute));
}

}  // namespace larmor::nodes
