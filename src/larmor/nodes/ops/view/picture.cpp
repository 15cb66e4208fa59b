// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/montage.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/picture.hpp>

namespace larmor::nodes {
namespace {

/// The first two axes of more than one element: data of BART with one sample along x lie in y and z. Empty when there
/// are no two, or they are the first two anyway.
std::vector<int> longer_than_one(const Shape& shape) {
  std::vector<int> out;
  for (int i = 0; i < static_cast<int>(shape.size()) && out.size() < 2; ++i)
    if (shape[static_cast<std::size_t>(i)] > 1) out.push_back(i);
  if (out.size() < 2 || (out[0] == 0 && out[1] == 1)) out.clear();
  return out;
}

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Array data = in.data;
  // The two axes of the plane first; the others in their order make the planes.
  auto plane = axes_in(data, io.setting("plane"));
  if (plane.empty()) plane = longer_than_one(data.shape());
  if (!plane.empty()) {
    if (plane.size() != 2)
      throw Error(Errc::shape, fmt::format("{} axes for a plane", plane.size()), "name two, like: x, y");
    std::vector<int> order = plane;
    for (int i = 0; i < data.rank(); ++i)
      if (i != plane[0] && i != plane[1]) order.push_back(i);
    data = data.permuted(order);
  }
  const auto window = io.setting("window").numbers();
  if (!window.empty() && window.size() != 2)
    throw Error(Errc::shape, fmt::format("a window of {} numbers", window.size()), "give the lower and the upper end");
  io::Montage o{.map = io.setting("map"),
                .gamma = io.setting("gamma"),
                .columns = int(io.setting("columns")),
                .zoom = int(io.setting("zoom")),
                .y_up = io.setting("y_up"),
                .ring = io.setting("ring")};
  if (!window.empty()) o.window = {window[0], window[1]};
  io.out("picture") = io::montage(data, o);
}

}  // namespace

void register_view_picture(flow::NodeTypes& nodes) {
  nodes.add(
      "view.picture",
      flow::NodeType{.title = "Picture",
                     .does = "Makes a picture of the planes of an array, complex numbers in complex colour",
                     .help = "Complex colour: brightness is the magnitude, hue the phase: 0 cyan, +90 degrees "
                             "green, 180 red, -90 magenta. Further axes lie side by side. NaN is dark.",
                     .version = 2,
                     .tags = {"montage", "complex colour", "PNG", "slices", "mosaic"}}
          .in<Gridded>("in", "real or complex array of two axes or more")
          .out<io::Picture>("picture", "RGB, 8 bit")
          .set({"plane", "the two axes of the picture, like: x, y; empty: the first two of more than one element", ""})
          .set(flow::Setting::choice("map", "colours of real numbers", "grey",
                                     {"grey", "viridis", "inferno", "turbo", "coolwarm"}))
          .set(flow::Setting::numbers("window", "values of the darkest and brightest colour; percentiles when empty",
                                      {}))
          .set({"gamma", "exponent of the brightness, below 1 shows weak signal", 1.0, 0.01, 100.0})
          .set({"columns", "planes in a row, 0: as square as can be", 0, 0, 10000})
          .set({"zoom", "pixels a voxel", 1, 1, 64})
          .set({"y_up", "the first row of the array is at the bottom", true})
          .set({"ring", "legend of phases, for complex numbers", true})
          .validate([](flow::Form& form) {
            const Array* in = array_of(form.in("in"));
            if (!in) return;
            const bool complex = in->dtype() == DType::c64 || in->dtype() == DType::c128;
            form.hide(complex ? "map" : "ring");
          })
          .run(compute));
}

}  // namespace larmor::nodes
