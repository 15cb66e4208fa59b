// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/flow/graph.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "graph_files.hpp"
#include "print_json.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;
using flow::Issue;

int run(const Call& call) {
  const std::filesystem::path path = call.text("GRAPH");
  const flow::Graph graph = open_graph(path);
  const std::filesystem::path base =
      call.given("--base") ? std::filesystem::path(call.text("--base")) : path.parent_path();
  const auto issues = flow::check(graph, all_operations(call), graph_library(path), base);
  const auto errors =
      std::count_if(issues.begin(), issues.end(), [](const auto& i) { return i.kind == Issue::Kind::error; });
  if (call.json) {
    json out = json::array();
    for (const auto& i : issues)
      out.push_back({{"kind", i.kind == Issue::Kind::error ? "error" : "warning"},
                     {"node", i.node},
                     {"port", i.port},
                     {"message", i.message},
                     {"advice", i.advice},
                     {"code", i.code}});
    print_json(out);
  } else {
    std::size_t width = 5;
    for (const auto& i : issues) width = std::max(width, i.node.size() + (i.port.empty() ? 0 : i.port.size() + 1));
    for (const auto& i : issues) fmt::print("{}", issue_text(i, width));
    if (issues.empty()) fmt::print("{}: nothing is wrong, {} nodes\n", path.string(), graph.nodes.size());
  }
  return errors ? 1 : 0;
}

}  // namespace

void register_graph_check(Commands& commands) {
  commands.add({.name = "graph check",
                .does = "Says everything that is wrong with a graph, without running it",
                .in = {{.name = "GRAPH", .what = "graph (.json)"}},
                .opt = {folder("--base", "folder of relative file names; default: that of the graph"), ops_option()},
                .examples = {"larmor graph check dce.json"},
                .more = "Exit code 1 when there is an error; warnings alone give 0.",
                .run = run});
}

}  // namespace larmor::cli
