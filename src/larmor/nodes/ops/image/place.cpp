// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void from_array(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Image out;
  if (io.has("like")) {
    out = io.in<Image>("like");
    const auto grid = out.grid();
    out.data = in.data;
    if (out.grid() != grid)
      throw Error(Errc::shape,
                  fmt::format("the array is {} and the image has a grid of {} x {} x {}", in.data.describe(), grid[0],
                              grid[1], grid[2]),
                  "resample the array, or give voxel sizes instead of an image");
    out.times.clear();
  } else {
    const auto spacing = io.setting("spacing").numbers(), origin = io.setting("origin").numbers();
    if (spacing.size() != 3 || std::any_of(spacing.begin(), spacing.end(), [](double s) { return !(s > 0); }))
      throw Error(Errc::range, fmt::format("voxel sizes of {} numbers, all positive", spacing.size()),
                  "give three positive lengths [mm]");
    if (!origin.empty() && origin.size() != 3)
      throw Error(Errc::shape, fmt::format("an origin of {} numbers", origin.size()), "give x, y, z [mm], or none");
    out.data = in.data;
    out.affine = Affine::scaling(spacing[0], spacing[1], spacing[2]);
    for (std::size_t a = 0; a < 3; ++a)
      out.affine.m[a][3] =
          origin.empty() ? -spacing[a] * static_cast<double>(out.data.extent(static_cast<int>(a)) / 2) : origin[a];
  }
  // An image is (x, y, z, ...). Axes of those names keep them, or else the first axes are taken for them.
  Shape shape = out.data.shape();
  Axes axes = out.data.axes();
  static const char* const space[] = {"x", "y", "z"};
  for (std::size_t a = 0; a < 3; ++a) {
    const bool taken = a < axes.size() && (axes[a] == "t" || axes[a] == "coil" || axes[a] == "b");
    if (a >= axes.size() || taken) {
      shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(a), 1);
      axes.insert(axes.begin() + static_cast<std::ptrdiff_t>(a), space[a]);
    }
    axes[a] = space[a];
  }
  out.data = out.data.reshaped(shape, axes);
  const auto times = io.setting("times").numbers();
  const auto t = std::find(axes.begin(), axes.end(), "t");
  if (!times.empty()) {
    const auto frames = t == axes.end() ? 0 : shape[static_cast<std::size_t>(t - axes.begin())];
    if (static_cast<std::int64_t>(times.size()) != frames)
      throw Error(Errc::shape, fmt::format("{} times for {} frames", times.size(), frames),
                  "give a time for each frame of axis t [s]");
    out.times = times;
  }
  io.out("out") = out;
}

}  // namespace

/// image.from_array and image.to_array.
void register_image_place(flow::NodeTypes& nodes) {
  nodes.add("image.from_array",
            flow::NodeType{.title = "Image from array",
                           .does = "Gives an array its place in space",
                           .tags = {"geometry", "affine", "voxel size"}}
                .in<Gridded>("in", "array; its first axes become x, y, z")
                .maybe<Image>("like", "image of the same grid whose place it gets")
                .out<Image>("out", "image")
                .set(flow::Setting::numbers("spacing", "voxel sizes, without an image to be like [mm]", {1, 1, 1}))
                .set(flow::Setting::numbers("origin", "place of voxel (0, 0, 0) [mm]; centred on 0 when empty", {}))
                .set(flow::Setting::numbers("times", "acquisition times along axis t [s]", {}))
                .validate([](flow::Form& form) {
                  if (!form.in("like").none()) form.hide("spacing"), form.hide("origin");
                })
                .run(from_array));
  nodes.add("image.to_array", flow::NodeType{.title = "Array of image",
                                             .does = "Takes the array out of an image, without its place in space",
                                             .tags = {"geometry", "data"}}
                                  .in<Gridded>("in", "image")
                                  .out<Array>("out", "array")
                                  .run([](flow::Ports& io) { io.out("out") = io.in<Array>("in"); }));
}

}  // namespace larmor::nodes
