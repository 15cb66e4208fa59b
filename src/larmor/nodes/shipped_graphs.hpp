// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>
#include <map>
#include <string>

namespace larmor::nodes {

/// The documents of graphs/ by name ("dce"), as they were when the program was built.
const std::map<std::string, std::string>& shipped_graphs();
/// Those of examples/graphs, which need no file.
const std::map<std::string, std::string>& example_graphs();
/// A shipped graph, read. Errors   Errc::unknown_name
flow::Graph shipped_graph(const std::string& name);
flow::Graph example_graph(const std::string& name);

}  // namespace larmor::nodes
