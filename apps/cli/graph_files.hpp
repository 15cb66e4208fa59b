// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/flow/graph.hpp>

namespace larmor::cli {

/// Graphs that nodes name: <name>.json beside `file`, else one of those that come with the program.
flow::Library graph_library(const std::filesystem::path& file);
/// The graph of a file, or when there is no such file, the one of that name that comes with the program ("dce"), be it
/// a pipeline or an example. Errors   those of load_graph
flow::Graph open_graph(const std::filesystem::path& file);
/// Folders with the graphs that come with the program, those of an installation or of the source tree.
std::vector<std::filesystem::path> shipped_graph_folders();
/// Folders with graphs that show something.
std::vector<std::filesystem::path> example_graph_folders();
/// "error  fit.signal  Number is needed ...\n  do: ..." ; `width`: of the column of places
std::string issue_text(const flow::Issue& issue, std::size_t width);

}  // namespace larmor::cli
