// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>
#include <set>

namespace larmor::flow {

/// The same graph for the same name: that a graph holds itself shows by its pointer. Not thread-safe.
Library remembering(const Library& library);

/// Works out what nodes are, each once. For one look at one graph: it keeps pointers to nodes, which must stay.
class TypeResolver {
 public:
  explicit TypeResolver(const NodeTypes& types) : types_(types) {}
  /// `library` must be a remembering one. nullptr when the operation or definition is unknown, or the definition holds
  /// itself.
  const NodeType* type(const Node& node, const Graph& graph, const Library& library);
  /// The outside of a graph. Promoted settings that are not there are left out when `lenient`.
  NodeType outside(const Graph& graph, const Library& library, bool lenient);
  /// The promoted setting as the node inside describes it, with the value that it has there.
  std::optional<Setting> promoted(const Graph& graph, const std::string& path, const std::string& name,
                                  const Library& library);
  const NodeTypes& types() const { return types_; }

 private:
  std::optional<NodeType> made(const Node& node, const Graph& graph, const Library& library);
  std::optional<Port> inner_port(const Graph& graph, const std::string& reference, bool input, const Library& library);
  std::vector<Port> outer_ports(const Graph& graph, bool input, const Library& library);

  const NodeTypes& types_;
  std::map<const Node*, std::optional<NodeType>> known_;
  std::vector<std::shared_ptr<const Graph>> held_;  // what a library made for us lives as long as the pointers
  std::set<const Graph*> open_;                     // being worked out
};

}  // namespace larmor::flow
