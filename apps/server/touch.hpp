// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>
#include <nlohmann/json.hpp>
#include <set>

namespace larmor::server {

/// Which nodes an edit makes out of date. Moving, naming and colouring things touches nothing.
struct Touch {
  bool all = false;
  std::set<std::string> nodes;  // of the top level
  bool any() const { return all || !nodes.empty(); }
};
Touch touched(const nlohmann::json& patch);

/// The nodes, and all that take from them.
std::set<std::string> with_dependents(const flow::Graph& graph, const Touch& touch);

/// Nodes that do nothing to the world, all of them when the graph has no others: what runs by itself. Files are written
/// only when somebody says run.
struct Harmless {
  bool all = false;
  std::vector<std::string> nodes;
};
Harmless harmless(const flow::Graph& graph, const flow::NodeTypes& types, const flow::Library& library);

}  // namespace larmor::server
