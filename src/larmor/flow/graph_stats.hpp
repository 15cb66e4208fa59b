// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>

namespace larmor::flow {

/// How large a graph is and how much of it is reuse, after Zwart and Pipe, MRM 74:1449 (2015), table 2. Sub-graphs
/// count once for every place they stand in, so that a graph and its flattened self have the same instances.
struct GraphStats {
  std::int64_t operations = 0;  // distinct operations: what has to be written ("nodes" of the paper)
  std::int64_t instances = 0;   // placed ones ("node instances")
  double reuse = 0;             // instances / operations
  std::int64_t wires = 0;       // inner ones too
  std::int64_t settings = 0;    // set to something else than the default
  std::int64_t sub_graphs = 0;  // placed
  std::int64_t definitions = 0, zones = 0, mapped = 0, swept = 0;
  int depth = 0;                               // longest chain of nodes, from a source to an end
  int width = 0;                               // most nodes that need nothing of each other at the same depth
  int user_operations = 0, code_lines = 0;     // distinct operations of users, and the lines of their files
  std::int64_t json_lines = 0;                 // of the document, places on the canvas included
  std::map<std::string, std::int64_t> counts;  // instances of each operation
  std::vector<std::string> unknown;  // operations and graphs that are not there; an unknown graph counts as nothing
};

/// `lines_of`: lines of code of a user operation, 0 when not known.
GraphStats statistics(const Graph& graph, const NodeTypes& types, const Library& library = {},
                      const std::function<int(const std::string& id)>& lines_of = {});

}  // namespace larmor::flow
