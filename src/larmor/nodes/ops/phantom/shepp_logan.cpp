// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/data/grid.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/sim/phantom.hpp>
#include <numbers>

namespace larmor::nodes {
namespace {

using Object = std::vector<sim::Ellipsoid>;

Shape shape_of(flow::Ports& io) {
  Shape shape;
  for (const double n : io.setting("size").numbers()) {
    if (n < 1 || n != std::floor(n) || n > 65536)
      throw Error(Errc::range, fmt::format("an axis of {:g} voxels", n), "give whole numbers from 1 to 65536");
    shape.push_back(static_cast<std::int64_t>(n));
  }
  if (shape.size() != 2 && shape.size() != 3)
    throw Error(Errc::shape, fmt::format("a phantom of {} axes", shape.size()), "give two or three extents");
  return shape;
}

// The field of view is centred on the isocentre, x to the right and y to the front.
Gridded placed(Array data, double fov) {
  Image place;
  std::array<double, 3> spacing{1, 1, 1}, first{};
  const bool flat = data.rank() == 2;
  if (flat) data = data.reshaped({data.extent(0), data.extent(1), 1}, {"x", "y", "z"});
  for (std::size_t a = 0; a < 3; ++a) {
    const auto n = data.extent(static_cast<int>(a));
    if (a < 2 || !flat) spacing[a] = fov / static_cast<double>(n);
    first[a] = -static_cast<double>(n / 2);
  }
  place.affine = regridded(Affine::scaling(spacing[0], spacing[1], spacing[2]), first, {1, 1, 1});
  return {std::move(data), std::move(place)};
}

void image(flow::Ports& io, const Object& object) {
  Array data = sim::raster(object, shape_of(io), int(io.setting("oversample")), &io.cancel());
  io.out("out") = placed(std::move(data), io.setting("fov"));
}

void kspace(flow::Ports& io, const Object& object) {
  const Shape shape = shape_of(io);
  Array data = sim::kspace(object, shape, &io.cancel());
  // In units that an inverse transform of the same scaling turns into the intensities.
  double voxels = 1;
  for (const auto n : shape) voxels *= static_cast<double>(n);
  const double field = std::pow(2.0, static_cast<double>(shape.size()));
  const double scale = io.setting("scaling").str() == "unitary" ? std::sqrt(voxels) / field : voxels / field;
  data = nd::apply(nd::Binary::multiply, data, flow::ValueTraits<Array>::from(scale), &io.cancel()).cast(DType::c64);
  io.out("out") = placed(std::move(data), io.setting("fov"));
}

Object ellipses(flow::Ports& io) {
  const auto v = io.in<std::vector<double>>("objects");
  const auto shape = shape_of(io);
  const std::size_t width = shape.size() == 2 ? 6 : 8;
  if (v.empty() || v.size() % width)
    throw Error(
        Errc::shape, fmt::format("{} numbers for ellipses of {} each", v.size(), width),
        width == 6 ? "give intensity, a, b, x, y, angle for each" : "give intensity, a, b, c, x, y, z, angle for each");
  Object out;
  for (std::size_t k = 0; k < v.size(); k += width) {
    const double* r = &v[k];
    const double turn = std::numbers::pi / 180;
    if (width == 6)
      out.push_back({r[0], {r[1], r[2], 1}, {r[3], r[4], 0}, r[5] * turn});
    else
      out.push_back({r[0], {r[1], r[2], r[3]}, {r[4], r[5], r[6]}, r[7] * turn});
  }
  return out;
}

Object shepp_logan(flow::Ports& io) {
  if (io.setting("size").numbers().size() == 3) return sim::shepp_logan_3d();
  return sim::shepp_logan(io.setting("contrast").str() == "high");
}

flow::NodeType&& sized(flow::NodeType&& type, bool is_image) {
  auto&& t =
      std::move(type).set(flow::Setting::numbers("size", "voxels along x, y and, for three dimensions, z", {128, 128}));
  auto&& u = std::move(t).set(flow::Setting{"fov", "field of view", 240.0, 1e-3, 1e5}.in("mm"));
  if (is_image) return std::move(u).set({"oversample", "points a voxel along each axis", 3, 1, 16});
  return std::move(u).set(flow::Setting::choice("scaling", "that of the inverse transform that gives intensities",
                                                "unitary", {"unitary", "by_n"}));
}

}  // namespace

/// phantom.shepp_logan, shepp_logan_kspace, ellipses and ellipses_kspace.
void register_phantom_shepp_logan(flow::NodeTypes& nodes) {
  const std::string papers =
      "Shepp and Logan, IEEE Trans. Nucl. Sci. 21:21 (1974); Toft, PhD thesis, DTU (1996); 3D: "
      "Koay et al., MRM 58:430 (2007)";
  const std::string exact =
      "The exact Fourier transform of ellipses: unlike a transformed image it holds no error of "
      "the grid. $$F(k) = \\rho a b J_1(2 \\pi K) / K, \\quad K = |(a k_x', b k_y')|$$";
  const auto contrast = flow::Setting::choice("contrast", "high, or the original of 2 %, in two dimensions", "high",
                                              {"high", "original"});
  const std::vector<std::string> tags{"phantom", "simulation", "test image", "head"};
  nodes.add("phantom.shepp_logan",
            sized(flow::NodeType{.title = "Shepp-Logan phantom",
                                 .does = "Makes the head phantom of Shepp and Logan in two or three dimensions",
                                 .from = papers,
                                 .tags = tags}
                      .out<Gridded>("out", "image (x, y, z), y to the front"),
                  true)
                .set(contrast)
                .run([](flow::Ports& io) { image(io, shepp_logan(io)); }));
  nodes.add("phantom.shepp_logan_kspace",
            sized(flow::NodeType{.title = "Shepp-Logan k-space",
                                 .does = "Makes the exact k-space of the head phantom of Shepp and Logan",
                                 .from = papers,
                                 .help = exact,
                                 .tags = tags}
                      .out<Gridded>("out", "centred k-space (x, y, z), complex"),
                  false)
                .set(contrast)
                .run([](flow::Ports& io) { kspace(io, shepp_logan(io)); }));
  const char* rows =
      "intensity, a, b, x, y, angle [deg] for each ellipse in a field of view from -1 to 1; in three "
      "dimensions intensity, a, b, c, x, y, z, angle";
  nodes.add("phantom.ellipses", sized(flow::NodeType{.title = "Ellipses",
                                                     .does = "Makes an image of ellipses or ellipsoids",
                                                     .tags = {"phantom", "circle", "sphere", "ellipsoid"}}
                                          .in<std::vector<double>>("objects", rows)
                                          .out<Gridded>("out", "image (x, y, z)"),
                                      true)
                                    .run([](flow::Ports& io) { image(io, ellipses(io)); }));
  nodes.add("phantom.ellipses_kspace",
            sized(flow::NodeType{.title = "k-space of ellipses",
                                 .does = "Makes the exact k-space of ellipses or ellipsoids",
                                 .from = "Van de Walle et al., IEEE Trans. Med. Imaging 19:1160 (2000); Koay et al., "
                                         "MRM 58:430 (2007)",
                                 .help = exact,
                                 .tags = {"phantom", "circle", "sphere", "ellipsoid"}}
                      .in<std::vector<double>>("objects", rows)
                      .out<Gridded>("out", "centred k-space (x, y, z), complex"),
                  false)
                .run([](flow::Ports& io) { kspace(io, ellipses(io)); }));
}

}  // namespace larmor::nodes
