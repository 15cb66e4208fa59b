// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>
#include <set>

namespace larmor::flow {

/// Nodes that every node takes something from.
std::map<std::string, std::set<std::string>> sources_by_node(const Graph& graph);
/// Cycles that share no node, each in the direction of its wires and beginning with its first name.
std::vector<std::vector<std::string>> cycles(const Graph& graph);

}  // namespace larmor::flow
