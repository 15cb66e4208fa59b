// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/nd/mask.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

std::array<double, 3> spacing_of(const Gridded& in, bool mm) {
  if (!mm) return {1, 1, 1};
  if (!in.geometry)
    throw Error(Errc::usage, "a radius in mm for " + in.data.describe() + ", which has no place in space",
                "give the radius in voxels, or an image");
  return in.geometry->affine.spacing();
}

void compute(flow::Ports& io, nd::Morphology op) {
  const auto in = io.in<Gridded>("in");
  io.out("out") = in.with(nd::morphology(op, in.data, io.setting("radius"),
                                         spacing_of(in, io.setting("unit").str() == "mm"), &io.cancel()));
}

}  // namespace

/// mask.dilate, erode, open, close and distance.
void register_mask_morphology(flow::NodeTypes& nodes) {
  struct Row {
    nd::Morphology op;
    const char *name, *title, *does;
  };
  static constexpr Row rows[] = {
      {nd::Morphology::dilate, "dilate", "Dilate mask", "Grows a mask by a ball"},
      {nd::Morphology::erode, "erode", "Erode mask", "Shrinks a mask by a ball"},
      {nd::Morphology::open, "open", "Open mask", "Shrinks and grows a mask, which takes away what is thin"},
      {nd::Morphology::close, "close", "Close mask", "Grows and shrinks a mask, which closes gaps"}};
  const auto unit = flow::Setting::choice("unit", "unit of the radius", "voxels", {"voxels", "mm"});
  for (const auto& row : rows)
    nodes.add(std::string("mask.") + row.name,
              flow::NodeType{.title = row.title,
                             .does = row.does,
                             .help = "The ball holds all voxels whose centres are not farther than the radius, by the "
                                     "exact distance. Outside the array is background for growing and mask for "
                                     "shrinking.",
                             .tags = {"morphology"}}
                  .in<Gridded>("in", "mask: 0 and not 0, space in the first three axes")
                  .out<Gridded>("out", "boolean, the same shape")
                  .set({"radius", "radius of the ball", 1.0, 0.0, 1e4})
                  .set(unit)
                  .run([op = row.op](flow::Ports& io) { compute(io, op); }));
  nodes.add("mask.distance", flow::NodeType{.title = "Distance to mask",
                                            .does = "Gives the distance of every voxel to a mask",
                                            .from = "Felzenszwalb and Huttenlocher, Theory of Computing 8:415 (2012)",
                                            .tags = {"distance transform"}}
                                 .in<Gridded>("in", "mask: 0 and not 0, space in the first three axes")
                                 .out<Gridded>("out", "distance, 0 in the mask, infinite without one")
                                 .set(flow::Setting::choice("unit", "unit of the distance", "voxels", {"voxels", "mm"}))
                                 .run([](flow::Ports& io) {
                                   const auto in = io.in<Gridded>("in");
                                   io.out("out") = in.with(nd::distance_to(
                                       in.data, spacing_of(in, io.setting("unit").str() == "mm"), &io.cancel()));
                                 }));
}

}  // namespace larmor::nodes
