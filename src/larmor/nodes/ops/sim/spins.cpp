// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/spins.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

std::array<double, 3> vector_of(flow::Ports& io, const char* name) {
  const auto v = io.setting(name).numbers();
  if (v.size() != 3)
    throw Error(Errc::shape, fmt::format("'{}' is {} numbers", name, v.size()), "give three: along x, y and z");
  return {v[0], v[1], v[2]};
}

std::vector<double> times_of(flow::Ports& io, const char* name) {
  auto v = io.has(name) ? io.in<std::vector<double>>(name) : io.setting(name).numbers();
  if (!io.has(name))
    for (double& t : v) t *= 1e-3;
  return v;
}

void grid(flow::Ports& io) {
  sim::SpinGrid g;
  g.x = spaced_setting(io, "x"), g.y = spaced_setting(io, "y"), g.z = spaced_setting(io, "z");
  g.df = io.has("df") ? io.in<std::vector<double>>("df") : spaced_setting(io, "df");
  g.T1 = times_of(io, "T1"), g.T2 = times_of(io, "T2"), g.B1 = io.setting("B1").numbers();
  g.T2_prime = 1e-3 * double(io.setting("T2_prime")), g.isochromats = int(io.setting("isochromats"));
  g.velocity = vector_of(io, "velocity"), g.D = io.setting("D");
  io.out("spins") = sim::spin_grid(g);
}

void cloud(flow::Ports& io) {
  sim::SpinCloud c;
  c.n = io.setting("count");
  const auto size = vector_of(io, "size"), centre = vector_of(io, "centre");
  for (std::size_t a = 0; a < 3; ++a) c.low[a] = centre[a] - size[a] / 2, c.high[a] = centre[a] + size[a] / 2;
  c.T1 = 1e-3 * double(io.setting("T1")), c.T2 = 1e-3 * double(io.setting("T2"));
  c.T2_prime = 1e-3 * double(io.setting("T2_prime"));
  c.df = io.setting("df"), c.df_sd = io.setting("df_sd");
  c.velocity = vector_of(io, "velocity"), c.D = io.setting("D");
  c.seed = static_cast<std::uint64_t>(std::int64_t(io.setting("seed")));
  io.out("spins") = sim::spin_cloud(c);
}

// A flat image has a third axis of one voxel, which is no axis of its spins.
Array map_of(flow::Ports& io, const char* port) {
  if (!io.has(port)) return {};
  const auto g = io.in<Gridded>(port);
  if (g.data.rank() >= 3 && g.data.extent(2) == 1) return g.data.slice(2, 0).contiguous_copy();
  return g.data;
}

void voxels(flow::Ports& io) {
  sim::VoxelMaps m{.PD = map_of(io, "PD"), .T1 = map_of(io, "T1"), .T2 = map_of(io, "T2")};
  m.df = map_of(io, "df"), m.T2_star = map_of(io, "T2_star"), m.coils = map_of(io, "coils");
  const auto place = io.in<Gridded>("PD");
  if (place.geometry) m.voxel = place.geometry->affine.spacing();
  m.per_axis = int(io.setting("per_axis")), m.isochromats = int(io.setting("isochromats"));
  const auto spins = sim::voxel_spins(m);
  io.out("spins") = spins;
  io.out("count") = static_cast<double>(spins.size());
}

flow::NodeType&& moving(flow::NodeType&& type) {
  return std::move(type)
      .set(Setting::numbers("velocity", "along x, y, z", {0, 0, 0}).in("mm/s"))
      .set(Setting{"D", "diffusion coefficient; that of water in the brain is 0.0008", 0.0, 0.0, 1.0}.in("mm2/s"));
}

}  // namespace

/// sim.spins, sim.spin_cloud and sim.voxel_spins.
void register_sim_spins(flow::NodeTypes& nodes) {
  const std::vector<std::string> tags{"isochromats", "Bloch", "simulation", "grid", "phantom"};
  nodes.add("sim.spins",
            moving(flow::NodeType{.title = "Spins on a grid",
                                  .does = "Makes spins for every combination of places, offsets and relaxation times",
                                  .help = "Places are one number, or first, last and how many. With T2' each spin is a "
                                          "number of isochromats with Lorentzian offsets: their sum decays with T2*.",
                                  .tags = tags}
                       .maybe<std::vector<double>>("T1", "values instead of the setting [s]")
                       .maybe<std::vector<double>>("T2", "values instead of the setting [s]")
                       .maybe<std::vector<double>>("df", "values instead of the setting [Hz]")
                       .out<sim::Spins>("spins", "the spins")
                       .set(Setting::numbers("x", "places: one, or first, last, how many", {0}).in("mm"))
                       .set(Setting::numbers("y", "places: one, or first, last, how many", {0}).in("mm"))
                       .set(Setting::numbers("z", "places: one, or first, last, how many", {0}).in("mm"))
                       .set(Setting::numbers("df", "off-resonance: one, or first, last, how many", {0}).in("Hz"))
                       .set(Setting::numbers("T1", "one or several", {1000}).in("ms"))
                       .set(Setting::numbers("T2", "one or several, T2 <= 2 T1", {100}).in("ms"))
                       .set(Setting::numbers("B1", "transmit field over the nominal one, one or several", {1}))
                       .set(Setting{"T2_prime", "reversible decay; 0: none", 0.0, 0.0, 1e6}.in("ms"))
                       .set({"isochromats", "for the reversible decay", 100, 1, 100000}))
                .run(grid));
  nodes.add("sim.spin_cloud",
            moving(flow::NodeType{.title = "Spins at random",
                                  .does = "Makes spins evenly at random in a box",
                                  .help = "The same seed gives the same spins on every machine.",
                                  .tags = tags}
                       .out<sim::Spins>("spins", "the spins")
                       .set({"count", "how many", 1000, 1, 100000000})
                       .set(Setting::numbers("size", "of the box along x, y, z", {10, 10, 10}).in("mm"))
                       .set(Setting::numbers("centre", "of the box", {0, 0, 0}).in("mm"))
                       .set(Setting{"T1", "of all", 1000.0, 1e-3, 1e9}.in("ms"))
                       .set(Setting{"T2", "of all, T2 <= 2 T1", 100.0, 1e-3, 1e9}.in("ms"))
                       .set(Setting{"df", "mean off-resonance", 0.0, -1e6, 1e6}.in("Hz"))
                       .set(Setting{"df_sd", "normal spread of the off-resonance", 0.0, 0.0, 1e6}.in("Hz"))
                       .set(Setting{"T2_prime", "Lorentzian spread, by its decay; 0: none", 0.0, 0.0, 1e6}.in("ms"))
                       .set({"seed", "another seed gives other spins", 1, 0}))
                .run(cloud));
  nodes.add("sim.voxel_spins",
            flow::NodeType{
                .title = "Spins of an object",
                .does = "Makes spins of maps of density, T1, T2 and more",
                .help = "Places follow the voxel size of the density. With T2* each spin is a number of isochromats "
                        "with 1 / T2' = 1 / T2* - 1 / T2.",
                .tags = tags}
                .in<Gridded>("PD", "density (x, y[, z]); 0: no spins there")
                .in<Gridded>("T1", "map [s]")
                .in<Gridded>("T2", "map [s]")
                .maybe<Gridded>("df", "off-resonance [Hz]")
                .maybe<Gridded>("T2_star", "map [s]")
                .maybe<Gridded>("coils", "sensitivities (x, y[, z], coil)")
                .out<sim::Spins>("spins", "the spins")
                .out<double>("count", "how many")
                .set({"per_axis", "places a voxel along each axis", 1, 1, 64})
                .set({"isochromats", "for T2*", 1, 1, 100000})
                .run(voxels));
}

}  // namespace larmor::nodes
