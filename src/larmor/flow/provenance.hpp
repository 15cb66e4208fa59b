// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>

namespace larmor::flow {

/// What a file says of how it was made: enough to get the graph back and to see whether it would give the same again.
struct Provenance {
  std::string larmor;  // version of the program
  Graph graph;
  std::string node;                          // path of the node that wrote the file
  std::map<std::string, int> operations;     // versions, of those that the node depends on
  std::map<std::string, std::string> files;  // hash of the content of each file that was read, by the name in the graph
};

/// The provenance of what `node` writes. Files are those that it depends on, relative ones below `base`; one that
/// cannot be read has no hash. The same graph and files give the same text: no time, no place, no user in it.
/// Errors   Errc::unknown_name for a node that the graph does not have
Provenance provenance_of(const Graph& graph, const std::string& node, const NodeTypes& types,
                         const Library& library = {}, const std::filesystem::path& base = {});
/// JSON on one line: {"files", "graph", "larmor", "node", "operations"}
std::string to_json(const Provenance& provenance);
/// Errors   Errc::format when the text is no provenance of a graph; those of parse_graph
Provenance parse_provenance(std::string_view json);

/// Hash of a file's bytes; zero when it cannot be read. Remembers files by name, size and time of change. Thread-safe.
Hash hash_file(const std::filesystem::path& path);

}  // namespace larmor::flow
