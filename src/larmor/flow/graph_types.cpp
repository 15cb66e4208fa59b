// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/flow/graph_types.hpp>

namespace larmor::flow {
namespace {

std::string type_of_setting(const Setting& setting) {
  switch (setting.kind) {
    case SettingKind::number:
    case SettingKind::integer:
      return "number";
    case SettingKind::boolean:
      return "boolean";
    case SettingKind::numbers:
      return "numbers";
    default:
      return "text";
  }
}

/// Rounds of a zone take elements apart and put them together: its ports hold lists, or arrays with one more axis.
void as_zone(NodeType& type, const Loop& loop) {
  if (loop.kind != Loop::Kind::each) return;
  const auto open = [&](Port& port) {
    if (loop.axis.empty()) port.type = "list";
    port.limits = {.required = port.limits.required, .repeated = port.limits.repeated};
  };
  for (auto& port : type.inputs)
    if (std::find(loop.over.begin(), loop.over.end(), port.name) != loop.over.end()) open(port);
  for (auto& port : type.outputs) {
    const bool fed_back = std::any_of(loop.feedback.begin(), loop.feedback.end(),
                                      [&](const auto& pair) { return pair.second == port.name; });
    if (!fed_back) open(port);
  }
}

}  // namespace

const NodeType* TypeResolver::type(const Node& node, const Graph& graph, const Library& library) {
  auto it = known_.find(&node);
  if (it == known_.end()) it = known_.emplace(&node, made(node, graph, library)).first;
  return it->second ? &*it->second : nullptr;
}

std::optional<NodeType> TypeResolver::made(const Node& node, const Graph& graph, const Library& library) {
  std::optional<NodeType> type;
  if (!node.op.empty()) {
    if (!types_.has(node.op)) return {};
    type = types_.get(node.op);
  } else {
    const auto definition = definition_of(node, graph, library);
    if (!definition || !open_.insert(definition.get()).second) return {};
    held_.push_back(definition);
    type = outside(*definition, library_inside(graph, library), true);
    open_.erase(definition.get());
    if (type->title.empty()) type->title = node.graph;
    if (node.loop) as_zone(*type, *node.loop);
  }
  for (const auto& name : node.ports)
    if (const Setting* setting = type->setting(name); setting && !type->input(name))
      type->inputs.push_back(
          {.name = name, .what = setting->what, .type = type_of_setting(*setting), .limits = {.required = false}});
  return type;
}

std::optional<Port> TypeResolver::inner_port(const Graph& graph, const std::string& reference, bool input,
                                             const Library& library) {
  const auto [id, name] = split_port(reference);
  const auto node = graph.nodes.find(id);
  if (node == graph.nodes.end()) return {};
  const NodeType* inner = type(node->second, graph, library);
  const Port* port = !inner ? nullptr : input ? inner->input(name) : inner->output(name);
  return port ? std::optional<Port>(*port) : std::nullopt;
}

std::vector<Port> TypeResolver::outer_ports(const Graph& graph, bool input, const Library& library) {
  std::vector<Port> out;
  for (const auto& [name, port] : input ? graph.inputs : graph.outputs) {
    Port outer{.name = name, .what = port.what, .type = port.type};
    outer.limits.required = port.required;
    // What the graph does not say of its ports, the inner ones do.
    const auto inner = port.inside.size() == 1 ? inner_port(graph, port.inside.front(), input, library) : std::nullopt;
    if (inner) {
      if (outer.type == "any") outer.type = inner->type;
      if (outer.what.empty()) outer.what = inner->what;
      outer.limits = inner->limits;
      outer.limits.required = port.required;
      outer.limits.repeated = false;
    }
    out.push_back(std::move(outer));
  }
  return out;
}

std::optional<Setting> TypeResolver::promoted(const Graph& graph, const std::string& path, const std::string& name,
                                              const Library& library) {
  const auto slash = path.find('/');
  const auto it = graph.nodes.find(path.substr(0, slash));
  if (it == graph.nodes.end()) return {};
  const Node& node = it->second;
  if (slash != std::string::npos) {  // the path gets shorter with every step: this ends
    const auto inner = definition_of(node, graph, library);
    if (!inner) return {};
    held_.push_back(inner);
    return promoted(*inner, path.substr(slash + 1), name, library_inside(graph, library));
  }
  const NodeType* inner = type(node, graph, library);
  if (!inner || !inner->setting(name)) return {};
  Setting setting = *inner->setting(name);
  if (const auto value = node.settings.find(name); value != node.settings.end()) setting.value = value->second;
  return setting;
}

NodeType TypeResolver::outside(const Graph& graph, const Library& library, bool lenient) {
  NodeType out{.title = graph.title};
  out.help = graph.about;
  out.does = graph.about.substr(0, graph.about.find('\n'));
  out.inputs = outer_ports(graph, true, library);
  out.outputs = outer_ports(graph, false, library);
  for (const auto& [name, p] : graph.settings) {
    auto setting = promoted(graph, p.node, p.setting, library);
    if (!setting && lenient) continue;
    if (!setting)
      throw Error(Errc::unknown_name, "no setting '" + p.setting + "' of a node '" + p.node + "'",
                  "promote one that is there")
          .at("setting '" + name + "' of the graph");
    setting->name = name;
    if (!p.title.empty()) setting->what = p.title;
    if (!p.what.empty()) setting->what = p.what;
    out.settings.push_back(std::move(*setting));
  }
  for (const auto& [id, node] : graph.nodes) {
    const NodeType* inner = type(node, graph, library);
    if (!inner) continue;
    out.effect = out.effect || inner->effect;
    out.impure = out.impure || inner->impure;
    out.user = out.user || inner->user;
  }
  return out;
}

std::shared_ptr<const Graph> definition_of(const Node& node, const Graph& graph, const Library& library) {
  if (node.graph.empty()) return nullptr;
  if (const auto it = graph.definitions.find(node.graph); it != graph.definitions.end()) return it->second;
  return library ? library(node.graph) : nullptr;
}

Library library_inside(const Graph& graph, const Library& library) {
  if (graph.definitions.empty()) return library;
  return [around = graph.definitions, library](const std::string& name) -> std::shared_ptr<const Graph> {
    if (const auto it = around.find(name); it != around.end()) return it->second;
    return library ? library(name) : nullptr;
  };
}

Library remembering(const Library& library) {
  if (!library) return {};
  auto known = std::make_shared<std::map<std::string, std::shared_ptr<const Graph>>>();
  return [known, library](const std::string& name) {
    auto it = known->find(name);
    if (it == known->end()) it = known->emplace(name, library(name)).first;
    return it->second;
  };
}

NodeType as_node_type(const Graph& graph, const NodeTypes& types, const Library& library) {
  const auto lock = types.reading();
  return TypeResolver(types).outside(graph, remembering(library), false);
}

std::optional<NodeType> type_of(const Node& node, const Graph& graph, const NodeTypes& types, const Library& library) {
  const auto lock = types.reading();
  TypeResolver resolver(types);
  const NodeType* type = resolver.type(node, graph, remembering(library));
  return type ? std::optional<NodeType>(*type) : std::nullopt;
}

}  // namespace larmor::flow
