// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/flow/graph_order.hpp>
#include <set>

namespace larmor::flow {

std::map<std::string, std::set<std::string>> sources_by_node(const Graph& graph) {
  std::map<std::string, std::set<std::string>> sources;
  for (const auto& [id, node] : graph.nodes) sources[id];
  for (const auto& [in, out] : graph.wires) {
    const auto to = split_port(in).first, from = split_port(out).first;
    if (graph.nodes.count(to) && graph.nodes.count(from)) sources[to].insert(from);
  }
  return sources;
}

std::vector<std::string> topological_order(const Graph& graph) {
  auto sources = sources_by_node(graph);
  std::map<std::string, std::vector<std::string>> users;
  for (const auto& [id, from] : sources)
    for (const auto& source : from) users[source].push_back(id);
  std::set<std::string> ready;  // sorted: the order is the same for the same graph
  for (const auto& [id, from] : sources)
    if (from.empty()) ready.insert(id);
  std::vector<std::string> order;
  while (!ready.empty()) {
    const std::string id = *ready.begin();
    ready.erase(ready.begin());
    for (const auto& user : users[id]) {
      auto& waiting = sources[user];
      waiting.erase(id);
      if (waiting.empty()) ready.insert(user);
    }
    sources.erase(id);
    order.push_back(id);
  }
  for (const auto& [id, from] : sources) order.push_back(id);
  return order;
}

std::vector<std::vector<std::string>> cycles(const Graph& graph) {
  auto sources = sources_by_node(graph);
  // Nodes that nothing leads to, or that lead nowhere, are in no cycle; what is left has one through some of them.
  for (const auto& id : topological_order(graph)) {
    const auto& from = sources[id];
    if (std::none_of(from.begin(), from.end(), [&](const auto& s) { return sources.count(s) > 0; })) sources.erase(id);
  }
  std::vector<std::vector<std::string>> found;
  while (!sources.empty()) {
    // Upstream from any node left, always to a node left, until one comes again.
    std::vector<std::string> path{sources.begin()->first};
    for (;;) {
      const auto& from = sources[path.back()];
      const auto next = std::find_if(from.begin(), from.end(), [&](const auto& s) { return sources.count(s) > 0; });
      if (next == from.end()) {  // only led downstream of a cycle already reported
        sources.erase(path.back());
        break;
      }
      const auto again = std::find(path.begin(), path.end(), *next);
      if (again == path.end()) {
        path.push_back(*next);
        continue;
      }
      std::vector<std::string> cycle(again, path.end());
      std::reverse(cycle.begin(), cycle.end());
      std::rotate(cycle.begin(), std::min_element(cycle.begin(), cycle.end()), cycle.end());
      for (const auto& id : cycle) sources.erase(id);
      found.push_back(std::move(cycle));
      break;
    }
  }
  return found;
}

}  // namespace larmor::flow
