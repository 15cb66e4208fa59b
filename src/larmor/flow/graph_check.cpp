// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <larmor/flow/graph_look.hpp>
#include <larmor/flow/graph_order.hpp>

namespace larmor::flow {
namespace {

class Checker {
 public:
  Checker(TypeResolver& resolver, std::vector<Issue>& issues, const std::filesystem::path& base)
      : resolver_(resolver), issues_(issues), base_(base) {}

  /// `path`: "" or "loop/", in front of the ids of nodes.
  void graph(const Graph& graph, const Library& library, const std::string& path) {
    if (!seen_.insert(&graph).second) return;  // one definition in two places has its faults once
    path_ = path, graph_ = &graph, library_ = &library;
    fed_ = fed_ports();
    for (const auto& [id, node] : graph.nodes) this->node(id, node);
    check_wires(look());
    for (const auto& cycle : cycles(graph))
      add(cycle.front(), "", "cycle",
          fmt::format("the nodes {} -> {} wait for each other", fmt::join(cycle, " -> "), cycle.front()),
          "take out one wire, or put them into a sub-graph with a loop");
    // Inside last: the members above change.
    for (const auto& [id, node] : graph.nodes) inside(id, node, graph, library, path);
  }

 private:
  void add(const std::string& node, std::string port, std::string code, std::string message, std::string advice = {},
           Issue::Kind kind = Issue::Kind::error) {
    look().add(node, std::move(port), std::move(code), std::move(message), std::move(advice), kind);
  }
  void add(const std::string& node, std::string port, std::string code, const Error& e) {
    look().add(node, std::move(port), std::move(code), e);
  }
  GraphLook look() { return {resolver_, issues_, *graph_, *library_, path_}; }

  /// In-ports that a wire or an input of the graph feeds, by node.
  std::map<std::string, std::map<std::string, int>> fed_ports() const {
    std::map<std::string, std::map<std::string, int>> fed;
    for (const auto& [in, out] : graph_->wires) {
      const auto [id, port] = split_port(in);
      ++fed[id][port];
    }
    for (const auto& [name, port] : graph_->inputs)
      for (const auto& inside : port.inside) {
        const auto [id, inner] = split_port(inside);
        ++fed[id][inner];
      }
    return fed;
  }

  void node(const std::string& id, const Node& node) {
    if (node.op.empty() == node.graph.empty())
      return add(id, "", "node", "it is neither an operation nor a sub-graph, or both", "give it an operation");
    const NodeType* type = resolver_.type(node, *graph_, *library_);
    if (!type) return unknown(id, node);
    settings(id, node, *type);
    inputs(id, *type);
    for (const auto& [port, policy] : node.policy)
      if (!type->output(port)) add(id, port, "unknown_port", unknown_name("out-port", port, names(type->outputs)));
    if (node.mode == Mode::bypass) bypass(id, *type);
    if (node.map) map(id, *node.map, *type);
    if (node.loop) loop(id, *node.loop, node, *type);
  }

  void unknown(const std::string& id, const Node& node) {
    if (!node.op.empty())
      return add(id, "", "unknown_op",
                 unknown_name("operation", node.op, resolver_.types().ids(), "see all with: larmor list ops"));
    if (definition_of(node, *graph_, *library_))
      return add(id, "", "recursion", fmt::format("the sub-graph '{}' holds itself", node.graph),
                 "loops are zones: give a sub-graph 'loop'");
    add(id, "", "unknown_graph", unknown_name("graph", node.graph, keys(graph_->definitions)));
  }

  bool wired(const std::string& id, const std::string& port) const {
    const auto it = fed_.find(id);
    return it != fed_.end() && it->second.count(port) > 0;
  }

  void value(const std::string& id, const Setting& setting, const Value& value, const char* code) {
    try {
      const Value checked = setting.checked(value);
      const bool folder = setting.kind == SettingKind::folder;
      if ((setting.kind != SettingKind::file_open && !folder) || checked.kind() != Value::Kind::text) return;
      if (checked.text().empty()) {
        if (!setting.optional)
          add(id, setting.name, "missing_file", folder ? "no folder is chosen" : "no file is chosen",
              "choose one: " + setting.what);
        return;
      }
      std::error_code failed;
      const auto path = base_ / checked.text();
      if (!std::filesystem::exists(path, failed))
        add(id, setting.name, "missing_file", path.string() + " is not there",
            folder ? "choose a folder that is" : "choose a file that is");
    } catch (const Error& e) {
      add(id, setting.name, code, e);
    }
  }

  void settings(const std::string& id, const Node& node, const NodeType& type) {
    const auto known = names(type.settings);
    const auto require = [&](const std::string& name) {
      if (type.setting(name)) return true;
      add(id, name, "setting", unknown_name("setting", name, known));
      return false;
    };
    for (const auto& [name, v] : node.settings) require(name);
    for (const auto& name : node.ports) require(name);
    for (const auto& [name, values] : node.sweeps) {
      if (!require(name)) continue;
      if (values.empty()) add(id, name, "sweep", "the list of values to run through is empty", "give one or more");
      for (const auto& v : values) value(id, *type.setting(name), v, "sweep");
    }
    for (const auto& setting : type.settings) {
      const bool as_port = std::find(node.ports.begin(), node.ports.end(), setting.name) != node.ports.end();
      if (node.sweeps.count(setting.name) || (as_port && wired(id, setting.name))) continue;
      const auto given = node.settings.find(setting.name);
      value(id, setting, given == node.settings.end() ? setting.value : given->second, "setting");
    }
  }

  void inputs(const std::string& id, const NodeType& type) {
    const auto fed = fed_.find(id);
    for (const auto& port : type.inputs) {
      if (!port.limits.required) continue;
      const bool there = fed != fed_.end() && std::any_of(fed->second.begin(), fed->second.end(),
                                                          [&](const auto& f) { return type.input(f.first) == &port; });
      if (!there)
        add(id, port.name, "missing_input", fmt::format("in-port '{}' gets nothing", port.name),
            "wire something to it: " + port.what);
    }
    if (fed == fed_.end()) return;
    for (const auto& [name, times] : fed->second)
      if (times > 1)
        add(id, name, "two_wires", fmt::format("in-port '{}' gets {} values", name, times),
            "keep the wire or the input of the graph");
  }

  void bypass(const std::string& id, const NodeType& type) {
    for (const auto& out : type.outputs)
      if (std::none_of(type.inputs.begin(), type.inputs.end(),
                       [&](const Port& in) { return resolver_.types().types.accepts(out.type, in.type); }))
        add(id, out.name, "bypass", fmt::format("bypassed, and no input can stand for the output '{}'", out.name),
            "what takes from it will not run", Issue::Kind::warning);
  }

  void map(const std::string& id, const MapOver& map, const NodeType& type) {
    if (map.axis.empty()) add(id, "", "map", "it is mapped over no axis", "name one, like z");
    for (const auto& port : map.inputs)
      if (!type.input(port)) add(id, port, "map", unknown_name("in-port", port, names(type.inputs)));
    if (type.inputs.empty()) add(id, "", "map", "it is mapped and has no input to take slices of", "map another node");
  }

  void loop(const std::string& id, const Loop& loop, const Node& node, const NodeType& type) {
    if (node.graph.empty()) return add(id, "", "loop", "only sub-graphs can be loops", "put the node into a sub-graph");
    const auto in = names(type.inputs), out = names(type.outputs);
    for (const auto& port : loop.over)
      if (!type.input(port)) add(id, port, "loop", unknown_name("in-port", port, in));
    if (loop.kind == Loop::Kind::each && loop.over.empty())
      add(id, "", "loop", "the loop takes elements of no input", "name inputs in 'over'");
    if (loop.kind != Loop::Kind::each && loop.times < 1)
      add(id, "", "loop", fmt::format("the loop has {} rounds", loop.times), "give 1 or more");
    if (loop.kind == Loop::Kind::until && !type.output(loop.condition))
      add(id, loop.condition, "loop",
          loop.condition.empty() ? Error(Errc::usage, "no output says when the loop ends", "name one in 'condition'")
                                 : unknown_name("out-port", loop.condition, out));
    if (const Port* stop = type.output(loop.condition); loop.kind == Loop::Kind::until && stop)
      if (const auto no = resolver_.types().types.refusal("boolean", stop->type); !no.empty())
        add(id, loop.condition, "loop", fmt::format("the condition '{}': {}", loop.condition, no));
    for (const auto& [to, from] : loop.feedback) {
      if (!type.input(to)) add(id, to, "loop", unknown_name("in-port", to, in));
      if (!type.output(from)) add(id, from, "loop", unknown_name("out-port", from, out));
      if (!type.input(to) || !type.output(from)) continue;
      if (const auto no = resolver_.types().types.refusal(type.input(to)->type, type.output(from)->type); !no.empty())
        add(id, to, "loop", fmt::format("'{}' of one round becomes '{}' of the next: {}", from, to, no));
    }
  }

  void inside(const std::string& id, const Node& node, const Graph& around, const Library& library,
              const std::string& path) {
    const auto definition = definition_of(node, around, library);
    if (!definition) return;
    held_.push_back(definition);
    graph(*definition, library_inside(around, library), path + id + "/");
  }

  TypeResolver& resolver_;
  std::vector<Issue>& issues_;
  const std::filesystem::path& base_;
  std::set<const Graph*> seen_;
  std::vector<std::shared_ptr<const Graph>> held_;
  std::string path_;
  const Graph* graph_ = nullptr;
  const Library* library_ = nullptr;
  std::map<std::string, std::map<std::string, int>> fed_;
};

}  // namespace

std::vector<Issue> check(const Graph& graph, const NodeTypes& types, const Library& library,
                         const std::filesystem::path& base) {
  const auto lock = types.reading();
  std::vector<Issue> issues;
  TypeResolver resolver(types);
  Checker(resolver, issues, base).graph(graph, remembering(library), "");
  return issues;
}

}  // namespace larmor::flow
