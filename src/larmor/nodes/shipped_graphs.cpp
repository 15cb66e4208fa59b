// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <vector>

namespace larmor::nodes {

namespace {

flow::Graph graph_in(const std::map<std::string, std::string>& all, const char* kind, const std::string& name) {
  const auto found = all.find(name);
  if (found != all.end()) return flow::parse_graph(found->second);
  std::vector<std::string> names;
  for (const auto& [known, text] : all) names.push_back(known);
  throw unknown_name(kind, name, names);
}

}  // namespace

flow::Graph shipped_graph(const std::string& name) { return graph_in(shipped_graphs(), "graph", name); }
flow::Graph example_graph(const std::string& name) { return graph_in(example_graphs(), "example", name); }

}  // namespace larmor::nodes
