// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/flow/graph_diff.hpp>
#include <larmor/flow/graph_json.hpp>
#include <set>

namespace larmor::flow {
namespace {

std::string shown(const Value& value) {
  const std::string text = setting_json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= 120 ? text : text.substr(0, 117) + "...";
}
std::string shown(const Value::List& values) { return shown(Value(values)); }
std::string shown(Policy policy) {
  constexpr const char* names[] = {"automatic", "keep", "free", "spill", "recompute"};
  return names[static_cast<int>(policy)];
}
std::string shown(Mode mode) {
  constexpr const char* names[] = {"normal", "bypass", "freeze"};
  return names[static_cast<int>(mode)];
}
std::string shown(const std::optional<MapOver>& map) {
  return map ? fmt::format("over {} of [{}], {} at once", map->axis, fmt::join(map->inputs, ", "), map->in_flight)
             : "none";
}
std::string shown(const std::optional<Loop>& loop) {
  if (!loop) return "none";
  constexpr const char* kinds[] = {"each", "repeat", "until"};
  std::string text = fmt::format("{} of [{}]", kinds[static_cast<int>(loop->kind)], fmt::join(loop->over, ", "));
  if (!loop->axis.empty()) text += " along " + loop->axis;
  if (loop->kind != Loop::Kind::each) text += fmt::format(", {} times", loop->times);
  if (!loop->condition.empty()) text += " until " + loop->condition;
  for (const auto& [to, from] : loop->feedback) text += fmt::format(", {} becomes {}", from, to);
  return text + (loop->history ? ", with history" : "");
}
std::string shown(const GraphPort& port) {
  return fmt::format("{}{} [{}]", port.type, port.required ? "" : ", optional", fmt::join(port.inside, ", "));
}
std::string shown(const Promoted& p) { return p.node + "." + p.setting; }

std::string what(const Node& node) { return node.op.empty() ? "sub-graph " + node.graph : node.op; }

bool same(const Value& a, const Value& b) { return a.hash() == b.hash(); }
bool same(const Value::List& a, const Value::List& b) { return same(Value(a), Value(b)); }
template <class T>
bool same(const T& a, const T& b) {
  return shown(a) == shown(b);
}

/// Calls f(name, before or null, after or null) for every name of either map.
template <class Map, class F>
void beside(const Map& a, const Map& b, F&& f) {
  const typename Map::mapped_type* const none = nullptr;
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->first < j->first)) {
      f(i->first, &i->second, none);
      ++i;
    } else if (i == a.end() || j->first < i->first) {
      f(j->first, none, &j->second);
      ++j;
    } else {
      f(i->first, &i->second, &j->second);
      ++i, ++j;
    }
  }
}

class Diff {
 public:
  Diff(std::vector<Change>& out, std::string inside) : out_(out), inside_(std::move(inside)) {}

  void graphs(const Graph& a, const Graph& b) {
    find_renames(a, b);
    seen("title", a.title, b.title);
    seen("about", a.about, b.about);
    beside(a.nodes, b.nodes, [&](const auto& id, const Node* x, const Node* y) {
      if (x && y) return node(id, *x, *y);
      if (x && to_.count(id)) return node(to_.at(id), *x, b.nodes.at(to_.at(id)));
      if (x) return add('-', "nodes", fmt::format("node {} ({})", id, what(*x)));
      if (!from_.count(id)) added(id, *y);
    });
    wires(a, b);
    elements("inputs", "input", a.inputs, b.inputs);
    elements("outputs", "output", a.outputs, b.outputs);
    elements("promoted", "promoted setting", a.settings, b.settings);
    layout(a, b);
    beside(a.definitions, b.definitions, [&](const auto& name, const auto* x, const auto* y) {
      if (!y) return add('-', "definitions", "definition " + name);
      if (!x) return add('+', "definitions", fmt::format("definition {} ({} nodes)", name, (*y)->nodes.size()));
      Diff(out_, inside_ + "definitions/" + name + "/").graphs(**x, **y);
    });
    if (a.dashboards != b.dashboards) add('~', "dashboards", "dashboards", false);
    if (a.extra != b.extra) add('~', "extra", "keys that this version does not know");
  }

 private:
  void add(char sign, const std::string& place, std::string text, bool counts = true) {
    out_.push_back({sign, inside_ + place, std::move(text), counts});
  }
  void seen(const std::string& place, const std::string& a, const std::string& b) {
    if (a != b) add('~', place, fmt::format("{}: '{}' -> '{}'", place, a, b), false);
  }

  std::string now(const std::string& reference) const {
    const auto [id, port] = split_port(reference);
    const auto it = to_.find(id);
    return it == to_.end() ? reference : it->second + "." + port;
  }

  static std::set<std::string> wires_of(const Graph& graph, const std::string& id) {
    std::set<std::string> out;
    for (const auto& [in, from] : graph.wires) {
      const auto [to_node, to_port] = split_port(in);
      const auto [from_node, from_port] = split_port(from);
      if (to_node == id) out.insert(to_port + "<-" + (from_node == id ? "itself." + from_port : from));
      if (from_node == id && to_node != id) out.insert(from_port + "->" + in);
    }
    return out;
  }

  void find_renames(const Graph& a, const Graph& b) {
    std::vector<std::string> gone, come;
    beside(a.nodes, b.nodes, [&](const auto& id, const Node* x, const Node* y) {
      if (!y) gone.push_back(id);
      if (!x) come.push_back(id);
    });
    for (const auto& old : gone) {
      const auto equal = [&](const std::string& id) {
        if (from_.count(id)) return false;
        std::vector<Change> changes;
        Diff(changes, "").node(id, a.nodes.at(old), b.nodes.at(id));
        const bool counts = std::any_of(changes.begin(), changes.end(), [](const auto& c) { return c.counts; });
        return !counts && wires_of(a, old) == wires_of(b, id);
      };
      const auto it = std::find_if(come.begin(), come.end(), equal);
      if (it == come.end()) continue;
      to_[old] = *it, from_[*it] = old;
      add('>', "nodes", fmt::format("node {} -> {}", old, *it), false);
    }
  }

  void added(const std::string& id, const Node& node) {
    std::string text = fmt::format("node {} ({})", id, what(node));
    for (const auto& [name, value] : node.settings) text += fmt::format(", {}: {}", name, shown(value));
    add('+', "nodes", std::move(text));
  }

  template <class Map>
  void named(const std::string& place, const std::string& id, const char* kind, const Map& a, const Map& b) {
    beside(a, b, [&](const auto& name, const auto* x, const auto* y) {
      const std::string at = id + "." + name + kind;
      if (x && y && same(*x, *y)) return;
      if (x && y) return add('~', place, fmt::format("{}: {} -> {}", at, shown(*x), shown(*y)));
      if (x) return add('-', place, fmt::format("{}: {} -> default", at, shown(*x)));
      add('+', place, fmt::format("{}: default -> {}", at, shown(*y)));
    });
  }
  template <class T>
  void one(const std::string& id, const char* name, const T& a, const T& b) {
    if (!same(a, b)) add('~', "nodes", fmt::format("{} {}: {} -> {}", id, name, shown(a), shown(b)));
  }

  void node(const std::string& id, const Node& a, const Node& b) {
    if (what(a) != what(b)) add('~', "nodes", fmt::format("node {}: {} -> {}", id, what(a), what(b)));
    named("settings", id, "", a.settings, b.settings);
    named("sweeps", id, " swept", a.sweeps, b.sweeps);
    named("policy", id, " kept as", a.policy, b.policy);
    if (a.ports != b.ports)
      add('~', "nodes",
          fmt::format("{} settings that are ports: [{}] -> [{}]", id, fmt::join(a.ports, ", "),
                      fmt::join(b.ports, ", ")));
    one(id, "mode", a.mode, b.mode);
    one(id, "mapped", a.map, b.map);
    one(id, "loop", a.loop, b.loop);
    if (a.title != b.title) add('~', "layout", fmt::format("{} title: '{}' -> '{}'", id, a.title, b.title), false);
    if (a.note != b.note) add('~', "layout", fmt::format("{} note: '{}' -> '{}'", id, a.note, b.note), false);
    if (a.extra != b.extra) add('~', "nodes", id + " keys that this version does not know");
  }

  void wires(const Graph& a, const Graph& b) {
    std::map<std::string, std::string> renamed;
    for (const auto& [in, out] : a.wires) renamed[now(in)] = now(out);
    beside(renamed, b.wires, [&](const auto& in, const std::string* x, const std::string* y) {
      if (x && y && *x == *y) return;
      if (x && y) return add('~', "wires", fmt::format("wire to {}: from {} -> {}", in, *x, *y));
      if (x) return add('-', "wires", fmt::format("wire {} -> {}", *x, in));
      add('+', "wires", fmt::format("wire {} -> {}", *y, in));
    });
  }

  template <class Map>
  void elements(const char* place, const char* kind, const Map& a, const Map& b) {
    beside(a, b, [&](const auto& name, const auto* x, const auto* y) {
      if (x && y && same(*x, *y)) return;
      if (x && y) return add('~', place, fmt::format("{} {}: {} -> {}", kind, name, shown(*x), shown(*y)));
      add(x ? '-' : '+', place, fmt::format("{} {} ({})", kind, name, shown(x ? *x : *y)));
    });
  }

  void layout(const Graph& a, const Graph& b) {
    int moved = 0;
    for (const auto& [id, node] : b.nodes) {
      const auto old = a.nodes.find(from_.count(id) ? from_.at(id) : id);
      if (old != a.nodes.end() && (old->second.at != node.at || old->second.folded != node.folded)) ++moved;
    }
    if (moved) add('~', "layout", fmt::format("{} node{} moved or folded", moved, moved == 1 ? "" : "s"), false);
    beside(a.comments, b.comments, [&](const auto& name, const Comment* x, const Comment* y) {
      if (x && y && x->text == y->text && x->at == y->at && x->size == y->size && x->colour == y->colour) return;
      add(!x ? '+' : !y ? '-' : '~', "comments", "comment " + name, false);
    });
    beside(a.frames, b.frames, [&](const auto& name, const Frame* x, const Frame* y) {
      if (x && y && x->title == y->title && x->at == y->at && x->size == y->size && x->colour == y->colour) return;
      add(!x ? '+' : !y ? '-' : '~', "frames", "frame " + name, false);
    });
  }

  std::vector<Change>& out_;
  std::string inside_;
  std::map<std::string, std::string> to_, from_;  // renamed: old -> new, new -> old
};

}  // namespace

std::vector<Change> diff(const Graph& before, const Graph& after) {
  std::vector<Change> out;
  Diff(out, "").graphs(before, after);
  return out;
}

}  // namespace larmor::flow
