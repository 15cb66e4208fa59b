// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/spins.hpp>

namespace larmor::nodes {
namespace {

const char* unit_of(const std::string& axis) {
  if (axis == "x" || axis == "y" || axis == "z") return "mm";
  if (axis == "df") return "Hz";
  if (axis == "T1" || axis == "T2" || axis == "t") return "s";
  return "";
}

void compute(flow::Ports& io) {
  const auto spins = io.in<sim::Spins>("spins");
  Array m = io.in<Array>("magnetisation").to(Device::cpu());
  if (m.rank() < 2 || m.axes()[0] != "component" || m.extent(0) != 3)
    throw Error(Errc::shape, "magnetisation is " + m.describe(), "give (component, ...) of sim.bloch");
  std::string name = io.setting("axis");
  if (name.empty()) name = m.axes()[1];
  const int axis = need_axis(m, name);
  if (axis == 0) throw Error(Errc::range, "a profile along the components", "name another axis");
  std::vector<int> order{0, axis};
  for (int i = 1; i < m.rank(); ++i)
    if (i != axis) order.push_back(i);
  m = m.permuted(order).cast(DType::f64).contiguous_copy();
  const std::int64_t n = m.extent(1), others = m.size() / (3 * n);
  Curve c{.x = {},
          .y = {},
          .x_label = name,
          .x_unit = unit_of(name),
          .label = "magnetisation",
          .unit = "M0",
          .series = {"Mx", "My", "Mz", "|Mxy|"}};
  if (io.has("x")) c.x = io.in<std::vector<double>>("x");
  for (std::size_t a = 0; a < spins.axes.size() && c.x.empty(); ++a)
    if (spins.axes[a] == name) c.x = spins.ticks[a];
  if (c.x.empty())
    for (std::int64_t i = 0; i < n; ++i) c.x.push_back(static_cast<double>(i));
  if (static_cast<std::int64_t>(c.x.size()) != n)
    throw Error(Errc::shape, fmt::format("{} places for {} values along '{}'", c.x.size(), n, name),
                "give one for each");
  c.y.assign(4, std::vector<double>(static_cast<std::size_t>(n)));
  for (std::int64_t i = 0; i < n; ++i) {
    double sum[3] = {};
    for (std::int64_t o = 0; o < others; ++o)
      for (int k = 0; k < 3; ++k) sum[k] += m.data<double>()[k + 3 * (i + n * o)] / static_cast<double>(others);
    const auto at = static_cast<std::size_t>(i);
    for (std::size_t k = 0; k < 3; ++k) c.y[k][at] = sum[k];
    c.y[3][at] = std::hypot(sum[0], sum[1]);
  }
  io.out("curve") = c;
}

}  // namespace

void register_sim_profile(flow::NodeTypes& nodes) {
  nodes.add(
      "sim.profile",
      flow::NodeType{.title = "Magnetisation profile",
                     .does = "Mx, My and Mz against one axis of the spins or against time, the mean over the others",
                     .help = "Against a place it is the slice profile of a pulse, against df its spectrum, against t "
                             "the course in time.",
                     .tags = {"slice profile", "Bloch", "spectrum", "curve"}}
          .in<Array>("magnetisation", "of sim.bloch: magnetisation or record (component, ...)")
          .in<sim::Spins>("spins", "whose it is")
          .maybe<std::vector<double>>("x",
                                      "places along the axis, like record_times; those of the spins when not wired")
          .out<Curve>("curve", "Mx, My, Mz and |Mxy|")
          .set({"axis", "which; the first when empty", ""})
          .run(compute));
}

}  // namespace larmor::nodes
