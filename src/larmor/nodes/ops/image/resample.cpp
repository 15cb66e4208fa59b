// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/resample.hpp>
#include <larmor/data/grid.hpp>
#include <larmor/nodes/axes.hpp>
#include <numbers>

namespace larmor::nodes {
namespace {

nd::ResampleOptions options(flow::Ports& io, bool antialias) {
  nd::ResampleOptions o{.kind = nd::interpolation_called(io.setting("interpolation")), .cancel = &io.cancel()};
  if (io.type().setting("outside"))
    o.fill = io.setting("outside").given() ? double(io.setting("outside")) : std::nan("");
  o.antialias = antialias;
  return o;
}

std::array<std::array<double, 4>, 3> rows(const Affine& a) { return {a.m[0], a.m[1], a.m[2]}; }

Image onto(const Image& in, const Affine& affine, const std::array<std::int64_t, 3>& size,
           const nd::ResampleOptions& o) {
  Image out = in;
  out.data = nd::resample_grid(in.data, rows(in.affine.inverse() * affine), size, o);
  out.affine = affine;
  return out;
}

void resample(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  nd::ResampleOptions o = options(io, io.setting("antialias"));
  o.fill.reset();  // the field of view stays: nothing lies outside but halves of the outermost voxels
  const auto spacing = io.setting("spacing").numbers();
  if (!spacing.empty()) {
    if (!in.geometry || spacing.size() != 3)
      throw Error(Errc::usage, fmt::format("{} voxel sizes for {}", spacing.size(), in.data.describe()),
                  "give three voxel sizes and an image, or sizes of axes");
    const Image image = in.image();
    const Grid grid = with_spacing({image.affine, image.grid()}, {spacing[0], spacing[1], spacing[2]});
    const Affine to_old = image.affine.inverse() * grid.affine;
    Array data = image.data;
    for (int a = 0; a < 3; ++a) {
      const auto s = static_cast<std::size_t>(a);
      std::vector<double> at(static_cast<std::size_t>(grid.size[s]));
      for (std::size_t k = 0; k < at.size(); ++k) at[k] = to_old.m[s][s] * static_cast<double>(k) + to_old.m[s][3];
      data = nd::resample_axis(data, a, at, o);
    }
    Image out = image;
    out.data = data, out.affine = grid.affine;
    io.out("out") = flow::ValueTraits<Gridded>::from(flow::ValueTraits<Image>::to(out));
    return;
  }
  Gridded out = in;
  for (const auto& item : axis_texts(in.data, io.setting("size"))) {
    const std::int64_t n = in.data.extent(item.axis), m = whole(item);
    if (m < 1) throw Error(Errc::range, fmt::format("axis '{}' of {} elements", item.name, m), "give 1 or more");
    const auto step = resized(n, m);
    std::vector<double> at(static_cast<std::size_t>(m));
    for (std::size_t k = 0; k < at.size(); ++k) at[k] = step.first + step.step * static_cast<double>(k);
    out = along(out, nd::resample_axis(out.data, item.axis, at, o), item.name, step.first, step.step);
  }
  io.out("out") = out;
}

void resample_like(flow::Ports& io) {
  const auto in = io.in<Image>("in"), like = io.in<Image>("like");
  io.out("out") = onto(in, like.affine, like.grid(), options(io, false));
}

void transform(flow::Ports& io) {
  auto in = io.in<Gridded>("in");
  Image image = in.image();
  if (!in.geometry && image.data.rank() == 2)
    image.data = image.data.reshaped({image.data.extent(0), image.data.extent(1), 1},
                                     {image.data.axes()[0], image.data.axes()[1], "z"});
  const auto angles = io.setting("rotate").numbers(), shift = io.setting("shift").numbers(),
             scale = io.setting("scale").numbers();
  const auto three = [](const std::vector<double>& v, double otherwise, const char* what) {
    if (!v.empty() && v.size() != 3)
      throw Error(Errc::shape, fmt::format("'{}' holds {} numbers", what, v.size()),
                  "give three: about or along x, y, z");
    return v.empty() ? std::array<double, 3>{otherwise, otherwise, otherwise} : std::array<double, 3>{v[0], v[1], v[2]};
  };
  auto radians = three(angles, 0, "rotate");
  for (double& a : radians) a *= std::numbers::pi / 180;
  const auto by = three(shift, 0, "shift"), size = three(scale, 1, "scale");
  const auto grid = image.grid();
  const auto middle = image.affine.apply(static_cast<double>(grid[0] - 1) / 2, static_cast<double>(grid[1] - 1) / 2,
                                         static_cast<double>(grid[2] - 1) / 2);
  Affine scaled = Affine::scaling(size[0], size[1], size[2]);
  for (std::size_t a = 0; a < 3; ++a) {
    if (!(size[a] > 0)) throw Error(Errc::range, fmt::format("a scale of {:g}", size[a]), "give positive factors");
    scaled.m[a][3] = middle[a] * (1 - size[a]);
  }
  Affine moved = rotation(radians, middle) * scaled;
  for (std::size_t a = 0; a < 3; ++a) moved.m[a][3] += by[a];
  // The content moves by `moved`; each voxel of the result shows what was at its inverse.
  const Affine to_index = image.affine.inverse() * moved.inverse() * image.affine;
  Array data = nd::resample_grid(image.data, rows(to_index), grid, options(io, false));
  if (!in.geometry && in.data.rank() == 2) data = data.reshaped(in.data.shape(), in.data.axes());
  io.out("out") = in.with(std::move(data));
}

flow::Setting kind() {
  std::vector<std::string> names(nd::interpolations().begin(), nd::interpolations().end());
  return flow::Setting::choice("interpolation",
                               "nearest for labels; cubic is smoother than linear; sinc for band-limited data",
                               "linear", names);
}
flow::Setting outside() {
  return flow::Setting{"outside", "value where there is no data; NaN when not set", 0.0}.or_none();
}

}  // namespace

/// image.resample, resample_like and transform.
void register_image_resample(flow::NodeTypes& nodes) {
  const std::string from = "Cubic: Keys, IEEE Trans. ASSP 29:1153 (1981)";
  nodes.add("image.resample",
            flow::NodeType{.title = "Resample",
                           .does = "Interpolates to another number or size of voxels over the same field of view",
                           .from = from,
                           .version = 2,
                           .tags = {"interpolate", "zoom", "resize", "voxel size", "downsample", "upsample"}}
                .in<Gridded>("in", "array or image")
                .out<Gridded>("out", "the same field of view")
                .set({"size", "elements along axes, like: x=256, y=256", ""})
                .set(flow::Setting::numbers("spacing", "or voxel sizes of an image along x, y, z [mm]", {}))
                .set(kind())
                .set({"antialias", "average over coarser voxels", true})
                .run(resample));
  nodes.add("image.resample_like", flow::NodeType{.title = "Resample onto image",
                                                  .does = "Interpolates an image on the grid of another",
                                                  .from = from,
                                                  .tags = {"interpolate", "reslice", "align", "match"}}
                                       .in<Image>("in", "image")
                                       .in<Image>("like", "image whose grid the result gets")
                                       .out<Image>("out", "the values of the first on the grid of the second")
                                       .set(kind())
                                       .set(outside())
                                       .run(resample_like));
  nodes.add("image.transform",
            flow::NodeType{.title = "Rotate, shift, scale",
                           .does = "Turns, moves and scales the content of an image about the middle of its grid",
                           .from = from,
                           .help = "Angles are right-handed, about R, then A, then S. Arrays without a place count in "
                                   "voxels. The grid stays.",
                           .tags = {"affine", "rotate", "translate", "zoom"}}
                .in<Gridded>("in", "image (x, y, z, ...), or array of two or three axes")
                .out<Gridded>("out", "the same grid")
                .set(flow::Setting::numbers("rotate", "angles about x, y, z [deg]", {0, 0, 0}))
                .set(flow::Setting::numbers("shift", "along x, y, z [mm]", {0, 0, 0}))
                .set(flow::Setting::numbers("scale", "factors along x, y, z", {1, 1, 1}))
                .set(kind())
                .set(outside())
                .run(transform));
}

}  // namespace larmor::nodes
