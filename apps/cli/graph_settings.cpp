// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <larmor/nodes/curve_file.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/trajectory.hpp>

#include "graph_job.hpp"
#include "trajectory_file.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

using flow::Graph;
using flow::Node;
using flow::Setting;
using flow::SettingKind;
using flow::Value;

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

std::pair<std::string, std::string> halves(const std::string& text, char at, const char* what, const char* as) {
  const auto place = text.find(at);
  if (place == std::string::npos || place == 0 || place + 1 > text.size())
    throw Error(Errc::usage, fmt::format("{}: '{}' has no '{}'", what, text, at), fmt::format("write {}", as));
  return {text.substr(0, place), text.substr(place + 1)};
}

bool is_text(SettingKind kind) {
  return kind == SettingKind::text || kind == SettingKind::choice || kind == SettingKind::file_open ||
         kind == SettingKind::file_save || kind == SettingKind::folder || kind == SettingKind::colour;
}

// As the setting asks for it; a list of several where one is taken is a sweep.
void give(Node& node, const Setting& setting, const std::string& text) {
  const auto one = [&](const Value& v) { return setting.checked(v); };
  Value value;
  const bool listed = !text.empty() && text.front() == '[';
  if (!is_text(setting.kind) || listed) {
    try {
      value = flow::from_json(text);
    } catch (const Error&) {
      if (!is_text(setting.kind))
        throw Error(Errc::usage, fmt::format("'{}' is '{}'", setting.name, text),
                    fmt::format("give {}: {}", setting.kind == SettingKind::boolean ? "true or false" : "a number",
                                setting.what));
    }
  }
  node.settings.erase(setting.name), node.sweeps.erase(setting.name);
  if (is_text(setting.kind) && value.kind() != Value::Kind::list) {
    node.settings[setting.name] = one(text);
  } else if (value.kind() == Value::Kind::list && setting.kind != SettingKind::numbers) {
    Value::List values;
    for (const auto& v : value.list()) values.push_back(one(v));
    node.sweeps[setting.name] = std::move(values);
  } else {
    node.settings[setting.name] = one(value);
  }
}

void set_at(Graph& graph, const std::string& path, const std::string& setting, const std::string& text,
            const flow::NodeTypes& types, const flow::Library& library) {
  const auto slash = path.find('/');
  const auto id = path.substr(0, slash);
  const auto found = graph.nodes.find(id);
  if (found == graph.nodes.end()) throw unknown_name("node", id, keys_of(graph.nodes));
  Node& node = found->second;
  if (slash != std::string::npos) {
    const auto inner = flow::definition_of(node, graph, library);
    if (!inner) throw Error(Errc::usage, "node '" + id + "' has no nodes inside", "it is an operation");
    auto copy = std::make_shared<Graph>(*inner);
    set_at(*copy, path.substr(slash + 1), setting, text, types, flow::library_inside(graph, library));
    const auto name = node.graph + "~" + id;  // of this node alone: others may use the same graph
    graph.definitions[name] = std::move(copy);
    node.graph = name;
    return;
  }
  const auto type = flow::type_of(node, graph, types, library);
  if (!type) throw Error(Errc::usage, "node '" + id + "' is of an operation that is not there");
  const Setting* s = type->setting(setting);
  if (!s) {
    std::vector<std::string> names;
    for (const auto& each : type->settings) names.push_back(each.name);
    throw unknown_name("setting", setting, names).at("node '" + id + "'");
  }
  give(node, *s, text);
}

// A curve is a table of times and values, or a value as an output of a graph has written it.
Value read_curve_value(const std::string& file) {
  const Value value = nodes::read_file(file);
  if (value.type() != "table") return value;
  return flow::ValueTraits<Aif>::to(nodes::read_curve(file, 1.0, false));
}

}  // namespace

Value read_value(const std::string& file, const std::string& type) {
  if (type == "curve") return read_curve_value(file);
  Value value = nodes::read_file(file);
  if (type == "trajectory" && value.type() == "record")
    return flow::ValueTraits<Trajectory>::to(trajectory_of_json(value, file));
  if (type == "trajectory" && value.type() == "array")
    throw Error(Errc::usage, "positions alone do not say the size of the image",
                "give the .json that larmor traj writes, or put traj.from_array with a matrix before it in a graph")
        .at(file);
  return value;
}

Value a_number(const Value& value) {
  if (value.type() != "array") return value;
  const Array a = flow::ValueTraits<Array>::from(value);
  const bool real = a.dtype() != DType::c64 && a.dtype() != DType::c128;
  return a.rank() == 0 && real ? Value(a.cast(DType::f64).contiguous_copy().span<const double>()[0]) : value;
}

void set_in_graph(Graph& graph, const std::string& assignment, const flow::NodeTypes& types,
                  const flow::Library& library) {
  const auto [where, text] = halves(assignment, '=', "--set", "--set node.setting=value");
  try {
    const auto promoted = graph.settings.find(where);
    const auto dot = where.rfind('.');
    if (promoted == graph.settings.end() && dot != std::string::npos)
      return set_at(graph, where.substr(0, dot), where.substr(dot + 1), text, types, library);
    if (promoted == graph.settings.end())
      throw unknown_name("setting of the graph", where, keys_of(graph.settings),
                         "settings of nodes are written --set node.setting=value");
    set_at(graph, promoted->second.node, promoted->second.setting, text, types, library);
  } catch (Error& e) {
    throw Error(e.code() == Errc::unknown_name ? e.code() : Errc::usage, e.message(), e.advice())
        .at("--set " + assignment);
  }
}

void feed_graph(Graph& graph, std::map<std::string, Value>& inputs, const std::string& assignment,
                const flow::NodeTypes& types) {
  const auto [name, file] = halves(assignment, '=', "--in", "--in name=file");
  if (graph.inputs.count(name)) {
    inputs[name] = read_value(file, graph.inputs.at(name).type);
    return;
  }
  const auto node = graph.nodes.find(name);
  if (node == graph.nodes.end()) {
    auto names = keys_of(graph.inputs);
    for (const auto& [id, n] : graph.nodes) names.push_back(id);
    throw unknown_name("input or node", name, names).at("--in " + assignment);
  }
  if (types.has(node->second.op))
    for (const auto& setting : types.get(node->second.op).settings)
      if (setting.kind == SettingKind::file_open ||
          (setting.kind == SettingKind::folder && !types.get(node->second.op).effect)) {
        // The file is named from here; the graph's own names are beside the graph.
        node->second.settings[setting.name] = fs::absolute(file).string();
        return;
      }
  throw Error(Errc::usage, "node '" + name + "' reads no file",
              "name an input of the graph, or a node that reads a file")
      .at("--in " + assignment);
}

std::size_t parse_size(const std::string& text, const std::string& what) {
  std::string number = text;
  double factor = 1;
  if (number.size() > 1 && (number.back() == 'B' || number.back() == 'b')) number.pop_back();
  constexpr std::string_view letters = "kmgt";
  if (!number.empty())
    if (const auto k = letters.find(static_cast<char>(std::tolower(static_cast<unsigned char>(number.back()))));
        k != std::string_view::npos)
      factor = std::pow(1024.0, static_cast<double>(k + 1)), number.pop_back();
  double n = 0;
  try {
    n = parse_number(number, what) * factor;
  } catch (const Error&) {
    n = -1;
  }
  if (!(n >= 0) || n > 1e18)
    throw Error(Errc::usage, fmt::format("{}: '{}' is no size", what, text), "give bytes, or 512M, 2G, ...");
  return static_cast<std::size_t>(n);
}

std::string size_text(std::size_t bytes) {
  const double n = static_cast<double>(bytes);
  if (n >= 1e9) return fmt::format("{:.1f} GB", n / 1e9);
  if (n >= 1e6) return fmt::format("{:.0f} MB", n / 1e6);
  return fmt::format("{:.0f} kB", n / 1e3);
}

fs::path default_cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache && *cache == '/') return fs::path(cache) / "larmor";
  if (const char* home = std::getenv("HOME"); home && *home == '/') return fs::path(home) / ".cache" / "larmor";
  return {};
}

}  // namespace larmor::cli
