// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/error.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <vector>

namespace larmor::nodes {

flow::Graph shipped_graph(const std::string& name) {
  const auto& all = shipped_graphs();
  const auto found = all.find(name);
  if (found != all.end()) return flow::parse_graph(found->second);
  std::vector<std::string> names;
  for (const auto& [known, text] : all) names.push_back(known);
  throw unknown_name("graph", name, names);
}

}  // namespace larmor::nodes
