// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/graph.hpp>
#include <set>

#include "command.hpp"
#include "graph_files.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

using flow::Graph;
using flow::Node;

class Outline {
 public:
  explicit Outline(const flow::NodeTypes& types) : types_(types) {}

  void graph(const Graph& g, const flow::Library& library, int indent) {
    for (const auto& [name, port] : g.inputs)
      line(indent, fmt::format("input {}: {} -> {}", name, port.type, fmt::join(port.inside, ", ")));
    for (const auto& id : flow::topological_order(g)) node(id, g.nodes.at(id), g, library, indent);
    for (const auto& [name, port] : g.outputs)
      line(indent, fmt::format("output {}: {} <- {}", name, port.type, fmt::join(port.inside, ", ")));
    for (const auto& [name, p] : g.settings) line(indent, fmt::format("setting {}: {}.{}", name, p.node, p.setting));
  }

 private:
  static void line(int indent, const std::string& text) { fmt::print("{:{}}{}\n", "", 2 * indent, text); }

  void node(const std::string& id, const Node& n, const Graph& g, const flow::Library& library, int indent) {
    std::string head = fmt::format("{}  {}", id, n.op.empty() ? "sub-graph " + n.graph : n.op);
    if (!n.title.empty()) head += fmt::format("  \"{}\"", n.title);
    if (!n.op.empty() && !types_.has(n.op)) head += "  (unknown operation)";
    if (n.mode == flow::Mode::bypass) head += "  bypassed";
    if (n.mode == flow::Mode::freeze) head += "  frozen";
    if (n.map) head += fmt::format("  mapped over {}", n.map->axis);
    if (n.loop) head += "  " + loop_text(*n.loop);
    line(indent, head);
    for (const auto& [in, out] : g.wires)
      if (const auto [to, port] = flow::split_port(in); to == id) line(indent + 1, fmt::format("{} <- {}", port, out));
    settings(n, indent + 1);
    if (n.op.empty()) inside(n, g, library, indent + 1);
  }

  void settings(const Node& n, int indent) const {
    const flow::NodeType* type = types_.has(n.op) ? &types_.get(n.op) : nullptr;
    for (const auto& [name, value] : n.settings) {
      const flow::Setting* s = type ? type->setting(name) : nullptr;
      if (s && s->value.hash() == value.hash()) continue;
      std::string text = fmt::format("{} = {}", name, flow::to_json(value));
      if (s && !s->unit.empty()) text += " " + s->unit;
      if (s && !s->value.none()) text += fmt::format("  (default {})", flow::to_json(s->value));
      line(indent, text);
    }
    for (const auto& [name, values] : n.sweeps)
      line(indent, fmt::format("{} = each of {}", name, flow::to_json(flow::Value(values))));
  }

  void inside(const Node& n, const Graph& g, const flow::Library& library, int indent) {
    const auto inner = flow::definition_of(n, g, library);
    if (!inner) return line(indent, "(unknown graph)");
    if (!shown_.insert(n.graph).second) return line(indent, "(as above)");
    graph(*inner, flow::library_inside(g, library), indent);
  }

  static std::string loop_text(const flow::Loop& loop) {
    using Kind = flow::Loop::Kind;
    if (loop.kind == Kind::each)
      return fmt::format("for each of {}{}", fmt::join(loop.over, ", "),
                         loop.axis.empty() ? "" : " along " + loop.axis);
    if (loop.kind == Kind::repeat) return fmt::format("{} times", loop.times);
    return fmt::format("until {}, at most {} times", loop.condition, loop.times);
  }

  const flow::NodeTypes& types_;
  std::set<std::string> shown_;
};

int run(const Call& call) {
  const std::filesystem::path path = call.text("GRAPH");
  const Graph graph = open_graph(path);
  if (call.json) {
    fmt::print("{}", flow::to_json(graph));
    return 0;
  }
  if (!graph.title.empty()) fmt::print("{}\n", graph.title);
  if (!graph.about.empty()) fmt::print("{}\n\n", graph.about);
  Outline(all_operations(call)).graph(graph, graph_library(path), 0);
  return 0;
}

}  // namespace

void register_graph_show(Commands& commands) {
  commands.add({.name = "graph show",
                .does = "A graph as text: its nodes in order, what they take and how they are set",
                .in = {{.name = "GRAPH", .what = "graph (.json)"}},
                .opt = {ops_option()},
                .examples = {"larmor graph show dce.json", "larmor graph show draft.json --json > graph.json"},
                .more = "Settings at their default are left out. With --json the graph as it is saved: keys in order, "
                        "brought to the current version.",
                .run = run});
}

}  // namespace larmor::cli
