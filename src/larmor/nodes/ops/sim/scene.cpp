// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/scene.hpp>
#include <larmor/nodes/values/spins.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

struct Frames {
  std::int64_t n = 0, t = 1;
  std::vector<float> m;  // (3, spin, t)
  std::vector<double> times;
};

/// At most so many spins, evenly picked.
Frames picked(const Array& record, const sim::Spins& spins, std::int64_t most, std::vector<std::size_t>& which) {
  const auto count = static_cast<std::int64_t>(spins.size());
  if (record.rank() < 2 || record.extent(0) != 3 || record.size() == 0 || record.size() % (3 * count))
    throw Error(Errc::shape, fmt::format("a record of {} for {} spins", record.describe(), count),
                "wire 'record' of sim.bloch, with record_every above 0, or its 'magnetisation'");
  const Array a = record.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  Frames f;
  f.t = a.size() / (3 * count), f.n = std::min(count, most);
  for (std::int64_t i = 0; i < f.n; ++i) which.push_back(static_cast<std::size_t>((2 * i + 1) * count / (2 * f.n)));
  for (std::int64_t t = 0; t < f.t; ++t)
    for (const std::size_t i : which)
      for (int c = 0; c < 3; ++c) f.m.push_back(a.data<float>()[c + 3 * (static_cast<std::int64_t>(i) + count * t)]);
  return f;
}

void compute(flow::Ports& io) {
  const auto spins = io.in<sim::Spins>("spins");
  std::vector<std::size_t> which;
  Frames f = picked(io.in<Array>("record"), spins, io.setting("most"), which);
  if (io.has("times")) f.times = io.in<std::vector<double>>("times");
  if (!f.times.empty() && static_cast<std::int64_t>(f.times.size()) != f.t)
    throw Error(Errc::shape, fmt::format("{} times for {} frames", f.times.size(), f.t),
                "wire 'record_times' of sim.bloch");
  const bool at_places = io.setting("layout").str() == "places";
  const auto n = static_cast<std::size_t>(f.n), frames = static_cast<std::size_t>(f.t);

  SceneItem arrows{.kind = SceneItem::Kind::arrows, .title = "magnetisation"};
  arrows.positions = Array(DType::f32, {3, f.n}, {"component", "spin"});
  double scale = 1;
  if (at_places) {
    const std::vector<double>* places[] = {&spins.x, &spins.y, &spins.z};
    double reach = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c < 3; ++c) {
        const double v = places[c]->empty() ? 0 : (*places[c])[which[i]];
        arrows.positions.data<float>()[3 * i + c] = static_cast<float>(v);
        reach = std::max(reach, std::abs(v));
      }
    // Neighbouring arrows of a row of n fill the space between them.
    scale = double(io.setting("length"));
    if (scale == 0) scale = reach > 0 ? 2.5 * reach / std::max(4.0, std::cbrt(static_cast<double>(n)) * 2) : 1;
  }
  double largest = 0;
  for (const float v : spins.M0) largest = std::max(largest, static_cast<double>(std::abs(v)));
  if (largest == 0) largest = 1;
  arrows.directions = Array(DType::f32, {3, f.n, f.t}, {"component", "spin", "t"});
  arrows.values = Array(DType::f32, {f.n, f.t}, {"spin", "t"});
  const bool by_phase = io.setting("colour").str() == "phase";
  for (std::size_t i = 0; i < n * frames; ++i) {
    const float* m = f.m.data() + 3 * i;
    for (std::size_t c = 0; c < 3; ++c)
      arrows.directions.data<float>()[3 * i + c] = static_cast<float>(scale / largest) * m[c];
    const float size = std::hypot(m[0], m[1]);
    arrows.values.data<float>()[i] = by_phase ? std::atan2(m[1], m[0]) : size / static_cast<float>(largest);
  }
  arrows.map = by_phase ? "phase" : "viridis";
  arrows.value_title = by_phase ? "phase" : "|Mxy|", arrows.value_unit = by_phase ? "rad" : "M0";
  arrows.range = by_phase ? std::array{-std::numbers::pi, std::numbers::pi} : std::array{0.0, 1.0};
  arrows.times = f.times;

  Scene scene{.title = "Spins", .unit = at_places ? "mm" : ""};
  if (!at_places) {
    scene.axes = {"Mx", "My", "Mz"};
    scene.box = {{{-1, -1, -1}, {1, 1, 1}}};
    SceneItem sphere{.kind = SceneItem::Kind::spheres, .positions = Array(DType::f32, {3, 1}), .colour = "#8899aa"};
    sphere.radius = 1, sphere.opacity = 0.12;
    scene.items.push_back(std::move(sphere));
  }
  scene.items.push_back(arrows);
  if (io.setting("traces") && frames > 1) {
    // Traces of thousands of tips hide everything: the first 50.
    const std::size_t traced = std::min<std::size_t>(n, 50);
    for (std::size_t i = 0; i < traced; ++i) {
      SceneItem line{.kind = SceneItem::Kind::lines, .positions = Array(DType::f32, {3, f.t}, {"component", "t"})};
      if (i == 0) line.title = "paths of the tips";
      for (std::size_t t = 0; t < frames; ++t)
        for (std::size_t c = 0; c < 3; ++c)
          line.positions.data<float>()[3 * t + c] =
              arrows.positions.data<float>()[3 * i + c] + arrows.directions.data<float>()[3 * (i + n * t) + c];
      line.times = f.times, line.width = 1, line.colour = "#c9a2ff";
      if (const double trail = 1e-3 * double(io.setting("trail")); trail > 0) line.trail = trail;
      scene.items.push_back(std::move(line));
    }
  }
  if (io.setting("sum") && !at_places) {
    SceneItem sum{.kind = SceneItem::Kind::arrows,
                  .title = "mean of all",
                  .positions = Array(DType::f32, {3, 1}),
                  .colour = "#f5f06a"};
    sum.directions = Array(DType::f32, {3, 1, f.t}, {"component", "spin", "t"});
    for (std::size_t t = 0; t < frames; ++t)
      for (std::size_t c = 0; c < 3; ++c) {
        double mean = 0;
        for (std::size_t i = 0; i < n; ++i)
          mean += static_cast<double>(arrows.directions.data<float>()[3 * (i + n * t) + c]);
        sum.directions.data<float>()[3 * t + c] = static_cast<float>(mean / static_cast<double>(n));
      }
    sum.times = f.times;
    scene.items.push_back(std::move(sum));
  }
  io.out("scene") = scene;
}

}  // namespace

void register_sim_scene(flow::NodeTypes& nodes) {
  nodes.add(
      "sim.scene",
      flow::NodeType{.title = "Spins in space",
                     .does = "Shows magnetisation as arrows in three dimensions, in time",
                     .help = "At their places, or all from the middle of the unit sphere. Colours are the phase or the "
                             "magnitude of Mxy. With a record the scene has a slider of time.",
                     .tags = {"3D", "arrows", "vectors", "animation", "Bloch sphere", "isochromats"}}
          .in<Array>("record", "record or magnetisation of sim.bloch (component, spins[, t])")
          .in<sim::Spins>("spins", "whose it is")
          .maybe<std::vector<double>>("times", "record_times of sim.bloch [s]")
          .out<Scene>("scene", "the scene")
          .set(Setting::choice("layout", "where arrows begin", "sphere", {"sphere", "places"}))
          .set(Setting::choice("colour", "what colours are", "phase", {"phase", "magnitude"}))
          .set({"most", "spins shown at most, evenly picked", 500, 1, 100000})
          .set({"traces", "paths of the tips", true})
          .set(Setting{"trail", "only the last so long of a path; 0: all", 0.0, 0.0, 1e9}.in("ms"))
          .set({"sum", "an arrow of the mean, on the sphere", true})
          .set(Setting{"length", "of an arrow of M0 at its place; 0: by the space there is", 0.0, 0.0, 1e6}.in("mm"))
          .run(compute));
}

}  // namespace larmor::nodes
