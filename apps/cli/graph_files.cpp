// SPDX-License-Identifier: Apache-2.0
#include "graph_files.hpp"

#include <fmt/format.h>

#include <larmor/io/file.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <set>

namespace larmor::cli {
namespace fs = std::filesystem;

namespace {

std::vector<fs::path> folders_of(const std::string& name) {
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  if (failed) return {};
  std::vector<fs::path> out;
  for (const char* place : {"../share/larmor", "../.."}) {  // installed; build/bin of the source tree
    const fs::path folder = (program.parent_path() / place / name).lexically_normal();
    if (fs::is_directory(folder, failed)) out.push_back(folder);
  }
  return out;
}

}  // namespace

std::vector<fs::path> shipped_graph_folders() { return folders_of("graphs"); }
std::vector<fs::path> example_graph_folders() { return folders_of("examples/graphs"); }

flow::Library graph_library(const fs::path& file) {
  auto folders = shipped_graph_folders();
  folders.insert(folders.begin(), file.has_parent_path() ? file.parent_path() : fs::path("."));
  return [folders](const std::string& name) -> std::shared_ptr<const flow::Graph> {
    if (name.empty() || name.find("..") != std::string::npos || name.front() == '/') return nullptr;
    std::error_code failed;
    for (const auto& folder : folders)
      if (const fs::path path = folder / (name + ".json"); fs::is_regular_file(path, failed))
        return std::make_shared<const flow::Graph>(flow::load_graph(path));
    const auto& built_in = nodes::shipped_graphs();
    if (built_in.count(name)) return std::make_shared<const flow::Graph>(nodes::shipped_graph(name));
    return nullptr;
  };
}

flow::Graph open_graph(const fs::path& file) {
  std::error_code failed;
  if (!fs::exists(file, failed) || fs::is_directory(file, failed)) {  // a folder of that name hides no graph
    if (nodes::shipped_graphs().count(file.string())) return nodes::shipped_graph(file.string());
    if (nodes::example_graphs().count(file.string())) return nodes::example_graph(file.string());
    std::set<std::string> all;
    for (const auto* graphs : {&nodes::shipped_graphs(), &nodes::example_graphs()})
      for (const auto& [name, text] : *graphs) all.insert(name);
    const std::vector<std::string> names(all.begin(), all.end());
    if (!fs::exists(file, failed) && !file.has_extension() && !file.has_parent_path())
      throw Error(Errc::file, unknown_name("file or graph", file.string(), names).message(),
                  fmt::format("name a file, or one of: {}", fmt::join(names, ", ")));
    if (!fs::exists(file, failed)) throw io::missing_file(file);
  }
  return flow::load_graph(file);
}

std::string issue_text(const flow::Issue& issue, std::size_t width) {
  std::string place = issue.node;
  if (!issue.port.empty()) place += (place.empty() ? "" : ".") + issue.port;
  if (place.empty()) place = "graph";
  std::string out = fmt::format("{}  {:<{}}  {}\n", issue.kind == flow::Issue::Kind::error ? "error  " : "warning",
                                place, width, issue.message);
  if (!issue.advice.empty()) out += fmt::format("{:{}}  do: {}\n", "", 9 + width, issue.advice);
  return out;
}

}  // namespace larmor::cli
