// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/graph.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/shipped_graphs.hpp>

#include "command.hpp"
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
    std::vector<std::vector<std::string>> rows{{"example", "what it is"}};
    for (const auto& name : names()) rows.push_back({name, nodes::example_graph(name).title});
    fmt::print("{}", text_table(rows));
    return 0;
  }
  const std::string graph = flow::to_json(nodes::example_graph(call.text("NAME")));
  if (call.given("--out"))
    io::write_text(call.text("--out"), graph);
  else
    fmt::print("{}", graph);
  return 0;
}

}  // namespace

void register_graph_example(Commands& commands) {
  commands.add({.name = "graph example",
                .does = "Prints an example graph, which needs no file, or lists those that there are",
                .in = {{.name = "NAME", .what = "which", .kind = Kind::text, .optional = true, .choices = names}},
                .opt = {file("--out", "file that receives it; default: stdout").as("-o")},
                .examples = {"larmor graph example dce > dce.json", "larmor studio dce.json"},
                .run = run});
}

}  // namespace larmor::cli
