// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <sstream>

namespace larmor::nodes {
namespace {

void select(flow::Ports& io) {
  const auto in = io.in<ParameterMaps>("maps");
  ParameterMaps out;
  out.reference = in.reference, out.status = in.status, out.meta = in.meta;
  std::istringstream words(io.setting("names").str());
  for (std::string name; words >> name;) out.maps.push_back(in.get(name));
  if (out.maps.empty()) throw Error(Errc::usage, "no map is named", "give names, separated by spaces");
  io.out("out") = out;
}

}  // namespace

void register_maps_select(flow::NodeTypes& nodes) {
  nodes.add("maps.select",
            flow::NodeType{.title = "Select maps", .does = "Some of several parameter maps, in the order named"}
                .in<ParameterMaps>("maps", "maps of a fit")
                .out<ParameterMaps>("out", "those named, with the status")
                .set({"names", "which, separated by spaces", "Ktrans ve vp"})
                .run(select));
}

}  // namespace larmor::nodes
