// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/graph_json.hpp>
#include <set>

namespace larmor::flow {
namespace {

constexpr const char* policies[] = {"automatic", "keep", "free", "spill", "recompute"};
constexpr const char* modes[] = {"normal", "bypass", "freeze"};
constexpr const char* kinds[] = {"each", "repeat", "until"};

/// Sets a key unless it holds what the reader takes when it is not there.
template <class T>
void put(Json& json, const char* key, const T& value, const T& usual = {}) {
  if (value != usual) json[key] = value;
}

/// Puts back what the reader did not know, where what it belonged to is still there. `members` are objects of the
/// element itself, `collections` hold elements by name.
void put_back(Json& json, const std::string& extra, const std::set<std::string>& members,
              const std::set<std::string>& collections) {
  if (extra.empty()) return;
  const Json unknown = Json::parse(extra);
  for (const auto& [key, value] : unknown.items()) {
    if (members.count(key)) {
      if (json.contains(key)) json[key].update(value);
    } else if (collections.count(key)) {
      for (const auto& [name, fields] : value.items())
        if (json.contains(key) && json[key].contains(name)) json[key][name].update(fields);
    } else {
      json[key] = value;
    }
  }
}

Json json_of(const Loop& loop) {
  Json out{{"kind", kinds[static_cast<int>(loop.kind)]}};
  put(out, "over", loop.over);
  put(out, "axis", loop.axis);
  put(out, "times", loop.times, 1);
  put(out, "condition", loop.condition);
  put(out, "feedback", loop.feedback);
  put(out, "history", loop.history);
  return out;
}

Json pair_json(const std::array<double, 2>& pair) { return setting_json(Value(Value::List{pair[0], pair[1]})); }

Json json_of(const Node& node) {
  Json out = Json::object();
  put(out, "op", node.op);
  put(out, "graph", node.graph);
  for (const auto& [name, value] : node.settings) out["settings"][name] = setting_json(value);
  for (const auto& [name, values] : node.sweeps) out["sweeps"][name] = setting_json(Value(values));
  put(out, "ports", node.ports);
  for (const auto& [port, policy] : node.policy)
    if (policy != Policy::automatic) out["policy"][port] = policies[static_cast<int>(policy)];
  if (node.mode != Mode::normal) out["mode"] = modes[static_cast<int>(node.mode)];
  if (node.map) {
    Json map{{"axis", node.map->axis}};
    put(map, "inputs", node.map->inputs);
    put(map, "in_flight", node.map->in_flight);
    out["map"] = std::move(map);
  }
  if (node.loop) out["loop"] = json_of(*node.loop);
  put(out, "title", node.title);
  put(out, "note", node.note);
  if (node.at != std::array<double, 2>{}) out["at"] = pair_json(node.at);
  put(out, "folded", node.folded);
  put_back(out, node.extra, {"map", "loop"}, {});
  return out;
}

Json json_of(const GraphPort& port, bool input) {
  Json out = Json::object();
  put(out, "type", port.type, std::string("any"));
  put(out, "what", port.what);
  if (input) {
    put(out, "to", port.inside);
    put(out, "required", port.required, true);
  } else {
    out["from"] = port.inside.empty() ? std::string() : port.inside.front();
  }
  return out;
}

Json json_of(const Graph& graph, bool outermost) {
  Json out = Json::object();
  if (outermost) out["larmor"] = Graph::current_version;
  put(out, "title", graph.title);
  put(out, "about", graph.about);
  for (const auto& [id, node] : graph.nodes) out["nodes"][id] = json_of(node);
  put(out, "wires", graph.wires);
  for (const auto& [name, port] : graph.inputs) out["inputs"][name] = json_of(port, true);
  for (const auto& [name, port] : graph.outputs) out["outputs"][name] = json_of(port, false);
  for (const auto& [name, p] : graph.settings) {
    Json& j = out["settings"][name] = {{"node", p.node}, {"setting", p.setting}};
    put(j, "title", p.title);
    put(j, "what", p.what);
  }
  for (const auto& [name, c] : graph.comments) {
    Json& j = out["comments"][name] = {{"at", pair_json(c.at)}, {"size", pair_json(c.size)}, {"text", c.text}};
    put(j, "colour", c.colour);
  }
  for (const auto& [name, f] : graph.frames) {
    Json& j = out["frames"][name] = {{"at", pair_json(f.at)}, {"size", pair_json(f.size)}, {"title", f.title}};
    put(j, "colour", f.colour);
  }
  for (const auto& [name, definition] : graph.definitions) out["definitions"][name] = json_of(*definition, false);
  if (!graph.dashboards.empty()) out["dashboards"] = Json::parse(graph.dashboards);
  put_back(out, graph.extra, {}, {"inputs", "outputs", "settings", "comments", "frames"});
  return out;
}

}  // namespace

std::string to_json(const Graph& graph) { return pretty(json_of(graph, true)); }

}  // namespace larmor::flow
