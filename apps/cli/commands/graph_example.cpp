// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/graph.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& [name, text] : nodes::example_graphs()) out.push_back(name);
  return out;
}

int run(const Call& call) {
  if (!call.given("NAME")) {
    if (call.json) {
      auto list = nlohmann::ordered_json::array();
      for (const auto& name : names()) list.push_back({{"name", name}, {"title", nodes::example_graph(name).title}});
      print_json(list);
      return 0;
    }
    std::vector<std::vector<std::string>> rows{{"example", "what it is"}};
    for (const auto& name : names()) rows.push_back({name, nodes::example_graph(name).title});
    fmt::print("{}", text_table(rows));
    return 0;
  }
  const std::string graph = flow::to_json(nodes::example_graph(call.text("NAME")));
  if (!call.given("--out")) {
    fmt::print("{}", graph);
    return 0;
  }
  io::write_text(call.text("--out"), graph);
  if (call.json) print_json({{"example", call.text("NAME")}, {"out", call.text("--out")}});
  return 0;
}

}  // namespace

void register_graph_example(Commands& commands) {
  commands.add({.name = "graph example",
                .does = "Prints an example graph, which needs no file, or lists those that there are",
                .in = {{.name = "NAME", .what = "which", .kind = Kind::text, .optional = true, .choices = names}},
                .opt = {file("--out", "file that receives it; default: stdout").output().as("-o")},
                .examples = {"larmor graph example dce > dce.json", "larmor studio dce.json"},
                .run = run});
}

}  // namespace larmor::cli
