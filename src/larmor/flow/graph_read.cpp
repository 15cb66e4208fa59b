// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <larmor/flow/graph_json.hpp>
#include <sstream>

namespace larmor::flow {
namespace {

bool good_id(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(),
                                    [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

std::string below(const std::string& place, const std::string& key) { return place.empty() ? key : place + "." + key; }

std::string shown(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

Error wrong(const std::string& place, const std::string& needed, const Json& there) {
  Error error(Errc::format, fmt::format("{} is needed and this is {}", needed, shown(there)));
  return error.at(place.empty() ? "the graph" : place);
}

/// An object of the document: hands out its keys, and knows in the end which of them nobody asked for.
class Reader {
 public:
  Reader(const Json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json.is_object()) throw wrong(place_, "an object", json);
  }

  const Json* find(const std::string& key) {
    asked_.push_back(key);
    const auto it = json_.find(key);
    return it == json_.end() ? nullptr : &*it;
  }
  std::string place(const std::string& key) const { return below(place_, key); }

  void read(const std::string& key, std::string& out) {
    if (const Json* j = find(key)) out = text(*j, place(key));
  }
  void read(const std::string& key, bool& out) {
    if (const Json* j = find(key)) {
      if (!j->is_boolean()) throw wrong(place(key), "true or false", *j);
      out = j->get<bool>();
    }
  }
  void read(const std::string& key, int& out, int least) {
    if (const Json* j = find(key)) {
      const double v = j->is_number() ? j->get<double>() : std::nan("");
      if (!(v >= least && v <= 1e9 && v == std::floor(v)))
        throw wrong(place(key), fmt::format("a whole number of {} or more", least), *j);
      out = static_cast<int>(v);
    }
  }
  void read(const std::string& key, std::array<double, 2>& out) {
    if (const Json* j = find(key)) {
      if (!j->is_array() || j->size() != 2 || !(*j)[0].is_number() || !(*j)[1].is_number())
        throw wrong(place(key), "a list of two numbers", *j);
      out = {(*j)[0].get<double>(), (*j)[1].get<double>()};
    }
  }
  void read(const std::string& key, std::vector<std::string>& out) {
    if (const Json* j = find(key)) {
      if (!j->is_array()) throw wrong(place(key), "a list of texts", *j);
      for (std::size_t i = 0; i < j->size(); ++i) out.push_back(text((*j)[i], fmt::format("{}.{}", place(key), i)));
    }
  }
  void read(const std::string& key, std::map<std::string, std::string>& out) {
    each(key, [&](const std::string& name, const Json& j, const std::string& at) { out[name] = text(j, at); });
  }
  /// Calls f(name, json, place) for every member of the object `key`.
  template <class F>
  void each(const std::string& key, F&& f) {
    const Json* j = find(key);
    if (!j) return;
    if (!j->is_object()) throw wrong(place(key), "an object", *j);
    for (const auto& [name, value] : j->items()) f(name, value, below(place(key), name));
  }
  template <class E>
  void read_choice(const std::string& key, E& out, const std::vector<std::string>& names) {
    const Json* j = find(key);
    if (j) out = static_cast<E>(choice(*j, place(key), names));
  }
  static std::size_t choice(const Json& j, const std::string& place, const std::vector<std::string>& names) {
    const auto it = std::find(names.begin(), names.end(), text(j, place));
    if (it == names.end()) {
      Error error = unknown_name("word for this", j.get<std::string>(), names);
      throw Error(Errc::format, error.message(), error.advice()).at(place);
    }
    return static_cast<std::size_t>(it - names.begin());
  }
  static std::string text(const Json& j, const std::string& place) {
    if (!j.is_string()) throw wrong(place, "a text", j);
    return j.get<std::string>();
  }

  /// Members that were not asked for.
  Json rest() const {
    Json out = Json::object();
    for (const auto& [key, value] : json_.items())
      if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) out[key] = value;
    return out;
  }
  /// The same, put aside in `extra` under the path of this object in what `extra` belongs to.
  void keep_rest(Json& extra, std::initializer_list<std::string> path) const {
    const Json unknown = rest();
    if (unknown.empty()) return;
    Json* to = &extra;
    for (const auto& key : path) to = &(*to)[key];
    to->update(unknown);
  }

 private:
  const Json& json_;
  std::string place_;
  std::vector<std::string> asked_;
};

const std::vector<std::string> policies{"automatic", "keep", "free", "spill", "recompute"};
const std::vector<std::string> modes{"normal", "bypass", "freeze"};
const std::vector<std::string> kinds{"each", "repeat", "until"};

Value value_at(const Json& json, const std::string& place) {
  try {
    return from_json(json.dump());
  } catch (Error& e) {
    throw e.at(place);
  }
}

void require_id(const std::string& id, const std::string& place) {
  if (good_id(id)) return;
  throw Error(Errc::format, "'" + id + "' cannot be a name", "use letters, digits, _ and -").at(place);
}

void require_port(const std::string& reference, const std::string& place) {
  try {
    split_port(reference);
  } catch (Error& e) {
    throw e.at(place);
  }
}

MapOver read_map(Reader& r) {
  MapOver map;
  r.read("axis", map.axis);
  r.read("inputs", map.inputs);
  r.read("in_flight", map.in_flight, 0);
  return map;
}

Loop read_loop(Reader& r) {
  Loop loop;
  r.read_choice("kind", loop.kind, kinds);
  r.read("over", loop.over);
  r.read("axis", loop.axis);
  r.read("times", loop.times, 1);
  r.read("condition", loop.condition);
  r.read("feedback", loop.feedback);
  r.read("history", loop.history);
  return loop;
}

Node read_node(const Json& json, const std::string& place) {
  Reader r(json, place);
  Node node;
  Json extra = Json::object();
  r.read("op", node.op);
  r.read("graph", node.graph);
  if (node.op.empty() == node.graph.empty())
    throw Error(Errc::format,
                node.op.empty() ? "neither 'op' nor 'graph' says what the node is"
                                : "'op' and 'graph' both say what the node is",
                "give one of them")
        .at(place);
  r.each("settings", [&](const auto& name, const Json& j, const auto& at) { node.settings[name] = value_at(j, at); });
  r.each("sweeps", [&](const auto& name, const Json& j, const auto& at) {
    if (!j.is_array()) throw wrong(at, "a list of values", j);
    node.sweeps[name] = value_at(j, at).list();
  });
  r.read("ports", node.ports);
  r.each("policy", [&](const auto& port, const Json& j, const auto& at) {
    node.policy[port] = static_cast<Policy>(Reader::choice(j, at, policies));
  });
  r.read_choice("mode", node.mode, modes);
  if (const Json* j = r.find("map")) {
    Reader inner(*j, r.place("map"));
    node.map = read_map(inner);
    inner.keep_rest(extra, {"map"});
  }
  if (const Json* j = r.find("loop")) {
    Reader inner(*j, r.place("loop"));
    node.loop = read_loop(inner);
    inner.keep_rest(extra, {"loop"});
  }
  r.read("title", node.title);
  r.read("note", node.note);
  r.read("at", node.at);
  r.read("folded", node.folded);
  r.keep_rest(extra, {});
  if (!extra.empty()) node.extra = extra.dump();
  return node;
}

void read_ports(Reader& graph, const std::string& key, bool input, std::map<std::string, GraphPort>& out, Json& extra) {
  graph.each(key, [&](const std::string& name, const Json& j, const std::string& place) {
    require_id(name, place);
    Reader r(j, place);
    GraphPort port;
    r.read("type", port.type);
    r.read("what", port.what);
    if (input) {
      r.read("to", port.inside);
      r.read("required", port.required);
    } else {
      std::string from;
      r.read("from", from);
      if (from.empty()) throw Error(Errc::format, "no 'from' says which port it is", "name one: \"fit.out\"").at(place);
      port.inside = {from};
    }
    for (const auto& inside : port.inside) require_port(inside, r.place(input ? "to" : "from"));
    r.keep_rest(extra, {key, name});
    out[name] = std::move(port);
  });
}

Graph read_graph(const Json& json, const std::string& place) {
  Reader r(json, place);
  Graph graph;
  Json extra = Json::object();
  r.find("larmor");
  r.read("title", graph.title);
  r.read("about", graph.about);
  r.each("nodes", [&](const auto& id, const Json& j, const auto& at) {
    require_id(id, at);
    graph.nodes[id] = read_node(j, at);
  });
  r.read("wires", graph.wires);
  for (const auto& [in, out] : graph.wires) {
    require_port(in, r.place("wires"));
    require_port(out, r.place("wires"));
  }
  read_ports(r, "inputs", true, graph.inputs, extra);
  read_ports(r, "outputs", false, graph.outputs, extra);
  r.each("settings", [&](const std::string& name, const Json& j, const auto& at) {
    Reader inner(j, at);
    Promoted& p = graph.settings[name];
    inner.read("node", p.node);
    inner.read("setting", p.setting);
    inner.read("title", p.title);
    inner.read("what", p.what);
    if (p.node.empty() || p.setting.empty())
      throw Error(Errc::format, "'node' and 'setting' say which setting it is; one is not there").at(at);
    inner.keep_rest(extra, {"settings", name});
  });
  r.each("comments", [&](const std::string& name, const Json& j, const auto& at) {
    Reader inner(j, at);
    Comment& c = graph.comments[name];
    inner.read("at", c.at);
    inner.read("size", c.size);
    inner.read("text", c.text);
    inner.read("colour", c.colour);
    inner.keep_rest(extra, {"comments", name});
  });
  r.each("frames", [&](const std::string& name, const Json& j, const auto& at) {
    Reader inner(j, at);
    Frame& f = graph.frames[name];
    inner.read("at", f.at);
    inner.read("size", f.size);
    inner.read("title", f.title);
    inner.read("colour", f.colour);
    inner.keep_rest(extra, {"frames", name});
  });
  r.each("definitions", [&](const auto& name, const Json& j, const auto& at) {
    require_id(name, at);
    graph.definitions[name] = std::make_shared<const Graph>(read_graph(j, at));
  });
  if (const Json* j = r.find("dashboards")) {
    if (!j->is_object()) throw wrong(r.place("dashboards"), "an object", *j);
    graph.dashboards = j->empty() ? "" : j->dump();
  }
  r.keep_rest(extra, {});
  if (!extra.empty()) graph.extra = extra.dump();
  return graph;
}

}  // namespace

Graph parse_graph(std::string_view json) {
  Json document = parse_document(json);
  migrate(document);
  return read_graph(document, "");
}

Graph load_graph(const std::filesystem::path& path) {
  std::error_code none;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, none))
    throw Error(Errc::file, path.string() + ": no file to read", "check the name, and that it may be read");
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) throw Error(Errc::file, path.string() + ": reading failed");
  try {
    return parse_graph(text.str());
  } catch (Error& e) {
    throw e.at("graph " + path.string());
  }
}

std::pair<std::string, std::string> split_port(std::string_view reference) {
  const auto bad = [&] {
    return Error(Errc::format, "'" + std::string(reference) + "' names no port", "write node.port, like fit.signal");
  };
  const auto dot = reference.find('.');
  if (dot == std::string_view::npos || dot + 1 == reference.size()) throw bad();
  for (std::size_t begin = 0; begin <= dot;) {
    const auto end = std::min(reference.find('/', begin), dot);
    if (!good_id(reference.substr(begin, end - begin))) throw bad();
    begin = end + 1;
  }
  return {std::string(reference.substr(0, dot)), std::string(reference.substr(dot + 1))};
}

}  // namespace larmor::flow
