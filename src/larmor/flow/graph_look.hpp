// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph_types.hpp>
#include <set>

namespace larmor::flow {

/// A graph, looked at for what is wrong with it; for check() and its parts.
struct GraphLook {
  TypeResolver& resolver;
  std::vector<Issue>& issues;
  const Graph& graph;
  const Library& library;
  std::string path;  // "" or "loop/", in front of the ids of nodes

  void add(const std::string& node, std::string port, std::string code, std::string message, std::string advice = {},
           Issue::Kind kind = Issue::Kind::error) const {
    std::string place = node.empty() ? path.substr(0, path.empty() ? 0 : path.size() - 1) : path + node;
    issues.push_back({kind, std::move(place), std::move(port), std::move(message), std::move(advice), std::move(code)});
  }
  void add(const std::string& node, std::string port, std::string code, const Error& e) const {
    add(node, std::move(port), std::move(code), e.message(), e.advice());
  }
};

/// Wires, the ports of the graph and its promoted settings: whether both ends are there and fit.
void check_wires(const GraphLook& look);

template <class Map>
std::vector<std::string> keys(const Map& map) {
  std::vector<std::string> out;
  for (const auto& [key, value] : map) out.push_back(key);
  return out;
}
template <class Items>
std::vector<std::string> names(const Items& items) {
  std::vector<std::string> out;
  for (const auto& item : items) out.push_back(item.name);
  return out;
}

}  // namespace larmor::flow
