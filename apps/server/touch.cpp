// SPDX-License-Identifier: Apache-2.0
#include "touch.hpp"

#include "json_patch.hpp"

namespace larmor::server {
namespace {

bool is_looks(const std::string& key) { return key == "at" || key == "title" || key == "note" || key == "folded"; }

void touch_path(const std::string& path, Touch& touch) {
  const auto keys = split_pointer(path);
  const std::string first = keys.empty() ? "" : keys[0];
  if (first == "nodes" && keys.size() >= 2) {
    if (keys.size() == 2 || !is_looks(keys[2])) touch.nodes.insert(keys[1]);
  } else if (first == "wires" && keys.size() == 2) {
    touch.nodes.insert(keys[1].substr(0, keys[1].find('.')));
  } else if (first == "definitions") {
    touch.all |= !(keys.size() >= 5 && keys[2] == "nodes" && is_looks(keys[4])) &&
                 !(keys.size() >= 3 && (keys[2] == "title" || keys[2] == "about" || keys[2] == "comments" ||
                                        keys[2] == "frames" || keys[2] == "dashboards"));
  } else if (first.empty() || first == "nodes" || first == "wires" || first == "inputs") {
    touch.all = true;
  }
}

bool has_effect(const flow::Node& node, const flow::Graph& graph, const flow::NodeTypes& types,
                const flow::Library& library, int level = 0) {
  if (!node.op.empty()) return types.has(node.op) && types.get(node.op).effect;
  const auto inner = flow::definition_of(node, graph, library);
  if (!inner || level > 30) return inner != nullptr;
  const auto inside = flow::library_inside(graph, library);
  for (const auto& [id, n] : inner->nodes)
    if (has_effect(n, *inner, types, inside, level + 1)) return true;
  return false;
}

}  // namespace

Touch touched(const nlohmann::json& patch) {
  Touch touch;
  for (const auto& op : patch) {
    if (op.at("op") == "test") continue;
    touch_path(op.at("path").get<std::string>(), touch);
    if (op.at("op") == "move") touch_path(op.at("from").get<std::string>(), touch);
  }
  return touch;
}

std::set<std::string> with_dependents(const flow::Graph& graph, const Touch& touch) {
  std::set<std::string> out;
  if (touch.all) {
    for (const auto& [id, node] : graph.nodes) out.insert(id);
    return out;
  }
  std::multimap<std::string, std::string> takers;
  for (const auto& [to, from] : graph.wires) takers.emplace(from.substr(0, from.find('.')), to.substr(0, to.find('.')));
  std::vector<std::string> open(touch.nodes.begin(), touch.nodes.end());
  while (!open.empty()) {
    const std::string id = open.back();
    open.pop_back();
    if (!out.insert(id).second) continue;
    for (auto [it, end] = takers.equal_range(id); it != end; ++it) open.push_back(it->second);
  }
  return out;
}

Harmless harmless(const flow::Graph& graph, const flow::NodeTypes& types, const flow::Library& library) {
  Harmless out{true, {}};
  const auto reading = types.reading();
  for (const auto& [id, node] : graph.nodes) {
    if (has_effect(node, graph, types, library))
      out.all = false;
    else
      out.nodes.push_back(id);
  }
  return out;
}

}  // namespace larmor::server
