// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/nd/smooth.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

// The axes named, or those of space.
std::vector<int> space_axes(const Array& a, const std::string& text) {
  if (!text.empty()) return axes_in(a, text);
  std::vector<int> axes;
  for (int i = 0; i < std::min(3, a.rank()); ++i) axes.push_back(i);
  return axes;
}

void smooth(flow::Ports& io) {
  auto out = io.in<Gridded>("in");
  const bool mm = io.setting("unit").str() == "mm";
  if (mm && !out.geometry)
    throw Error(Errc::usage, "a width in mm for " + out.data.describe() + ", which has no place in space",
                "give it in voxels, or an image");
  for (const int axis : space_axes(out.data, io.setting("axes"))) {
    double width = io.setting("FWHM");
    if (mm && axis < 3) width /= out.geometry->affine.spacing()[static_cast<std::size_t>(axis)];
    out.data = nd::smooth_axis(out.data, axis, width / (2 * std::sqrt(2 * std::log(2.0))), &io.cancel());
  }
  io.out("out") = out;
}

void median(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const auto axes = space_axes(in.data, io.setting("axes"));
  io.out("out") = in.with(nd::median_filter(in.data, axes, int(io.setting("width")), &io.cancel()));
}

}  // namespace

/// image.smooth and image.median.
void register_image_smooth(flow::NodeTypes& nodes) {
  const flow::Setting axes{"axes", "axes to go along; the first three when empty", ""};
  const auto offer = [](flow::Form& form) { offer_axes(form, "in", "axes"); };
  nodes.add("image.smooth",
            flow::NodeType{.title = "Smooth",
                           .does = "Averages neighbours with a Gaussian",
                           .help = "At the ends the mean is over what is there, so that a constant stays. "
                                   "FWHM is $2 \\sqrt{2 \\ln 2}$ standard deviations.",
                           .tags = {"gaussian", "blur", "low pass", "filter"}}
                .in<Gridded>("in", "array or image, real or complex")
                .out<Gridded>("out", "the same shape")
                .set({"FWHM", "full width at half maximum", 2.0, 0.0, 1e4})
                .set(flow::Setting::choice("unit", "unit of the width", "voxels", {"voxels", "mm"}))
                .set(axes)
                .validate(offer)
                .run(smooth));
  nodes.add("image.median", flow::NodeType{.title = "Median filter",
                                           .does = "Takes the middle value of a box around every voxel",
                                           .help = "NaN is left out; at the ends the box holds what is there.",
                                           .tags = {"despeckle", "outlier", "filter"}}
                                .in<Gridded>("in", "real array or image")
                                .out<Gridded>("out", "the same shape")
                                .set(flow::Setting{"width", "of the box, odd", 3, 1, 15}.by(2).in("voxels"))
                                .set(axes)
                                .validate(offer)
                                .run(median));
}

}  // namespace larmor::nodes
