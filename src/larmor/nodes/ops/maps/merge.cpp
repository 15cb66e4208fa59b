// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

void merge(flow::Ports& io) {
  ParameterMaps out;
  bool first = true;
  for (const auto& value : io.all("in")) {
    if (value.none()) continue;
    const auto maps = flow::ValueTraits<ParameterMaps>::from(value);
    if (first)
      out.reference = maps.reference;
    else if (!out.reference.data.empty() && !maps.reference.data.empty())
      require_same_space(out.reference, maps.reference, "the first maps", "the others");
    for (const auto& m : maps.maps) {
      if (out.has(m.name))
        throw Error(Errc::usage, "two maps are called " + m.name, "leave one of them out with maps.select");
      out.maps.push_back(m);
    }
    if (out.status.empty()) out.status = maps.status;
    for (const auto& [name, v] : maps.meta) out.meta.emplace(name, v);
    first = false;
  }
  if (first) throw Error(Errc::usage, "no maps to join", "wire some");
  io.out("out") = out;
}

}  // namespace

void register_maps_merge(flow::NodeTypes& nodes) {
  nodes.add("maps.merge", flow::NodeType{.title = "Join maps",
                                         .does = "Maps of several operations as one set, on one grid",
                                         .help = "The status is that of the first which has one.",
                                         .tags = {"combine", "append"}}
                              .in<ParameterMaps>("in", "maps", {.repeated = true})
                              .out<ParameterMaps>("out", "all of them")
                              .run(merge));
}

}  // namespace larmor::nodes
