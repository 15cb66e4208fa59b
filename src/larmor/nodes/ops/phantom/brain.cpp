// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/data/grid.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/sim/brain.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  Shape shape;
  for (const double n : io.setting("size").numbers()) {
    if (n < 1 || n != std::floor(n) || n > 4096)
      throw Error(Errc::range, fmt::format("an axis of {:g} voxels", n), "give whole numbers from 1 to 4096");
    shape.push_back(static_cast<std::int64_t>(n));
  }
  const auto maps = sim::brain_phantom(shape, io.setting("df_peak"), &io.cancel());
  const double fov = io.setting("fov");
  const auto placed = [&](Array data) -> Gridded {
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
  };
  io.out("PD") = placed(maps.PD), io.out("T1") = placed(maps.T1), io.out("T2") = placed(maps.T2);
  io.out("T2_star") = placed(maps.T2_star), io.out("df") = placed(maps.df), io.out("labels") = placed(maps.labels);
}

}  // namespace

void register_phantom_brain(flow::NodeTypes& nodes) {
  nodes.add("phantom.brain",
            flow::NodeType{
                .title = "Brain phantom",
                .does = "Makes maps of a head at 3 T: density, T1, T2, T2*, off-resonance and labels",
                .from = "Stanisz et al., MRM 54:507 (2005); de Bazelaire et al., Radiology 230:652 (2004); Lu et al., "
                        "JMRI 22:13 (2005); Peters et al., MRI 25:748 (2007)",
                .help = "Labels: 0 air, 1 scalp, 2 skull, 3 CSF, 4 grey matter, 5 white matter. Off-resonance is the "
                        "shift of fat and a smooth field, strongest above the nose.",
                .tags = {"head", "tissue", "T1 map", "T2 map", "simulation", "B0"}}
                .out<Gridded>("PD", "proton density (x, y, z) [1]")
                .out<Gridded>("T1", "[s], 0 in air")
                .out<Gridded>("T2", "[s], 0 in air")
                .out<Gridded>("T2_star", "[s], 0 in air")
                .out<Gridded>("df", "off-resonance [Hz]")
                .out<Gridded>("labels", "tissue, 0 to 5")
                .set(flow::Setting::numbers("size", "voxels along x, y and, for three dimensions, z", {128, 128}))
                .set(flow::Setting{"fov", "field of view", 240.0, 1e-3, 1e5}.in("mm"))
                .set(flow::Setting{"df_peak", "of the smooth field", 100.0, -1e5, 1e5}.in("Hz"))
                .run(compute));
}

}  // namespace larmor::nodes
